// Brings a layer's arrays together by the names of their axes, and says what does not fit.
#include "arrays/bind_arrays.hpp"

#include <algorithm>
#include <cstdlib>
#include <string>

#include "axismask/messages/text.hpp"

namespace axismask {
namespace {

void check_size(std::string_view where, const named_axis& axis, std::string_view name, const named_axis& logits_axis) {
  if (axis.size != logits_axis.size) {
    throw error("axis-size", std::string(where),
                "its axis \"" + std::string(name) + "\" has size " + std::to_string(axis.size) +
                    ", and that of the logits" +
                    (name == logits_axis.name ? "" : ", \"" + std::string(logits_axis.name) + "\",") + " has " +
                    std::to_string(logits_axis.size),
                "give one element for each index of the logits' axis");
  }
}

void check_number(const attribute_record& parameter, std::int64_t number) {
  if (number >= parameter.lowest) return;
  throw error("parameter-value", std::string(parameter.name), "it is " + std::to_string(number),
              parameter.lowest == 1 && parameter.name.find("window") != std::string_view::npos
                  ? "a window is at least 1; a window of 1 sees the token itself only"
                  : "give at least " + std::to_string(parameter.lowest));
}

void check_numbers(const attribute_record& parameter, const any_view& numbers) {
  const auto* data = static_cast<const std::int64_t*>(numbers.data());
  for_each_line(numbers.axes(), [&](std::int64_t offset, std::int64_t count, std::int64_t stride) {
    for (std::int64_t at = 0; at < count; ++at) check_number(parameter, data[offset + at * stride]);
  });
}

// What messages list.
std::vector<std::string_view> taken_names(const layer_values& layer) {
  std::vector<std::string_view> names;
  for (const std::size_t index : layer.type->operands) {
    const std::string_view name = layer.attributes[index].name;
    if (!is_side_input(layer.type->attributes[index].kind)) continue;
    if (std::find(names.begin(), names.end(), name) == names.end()) names.push_back(name);
  }
  return names;
}
std::vector<std::string_view> given_names(std::span<const side_input> side_inputs) {
  std::vector<std::string_view> names;
  for (const side_input& input : side_inputs) names.push_back(input.name);
  return names;
}

// Replaces an operand by a copy of another type. Only the elements that there are: an axis that the array lacks stays a
// stride of 0. The copy's axes are in the order of the result's, so that the kernel finds it as dense as that.
template <class From, class To>
void convert(bound_array& numbers, const bound_call& call, std::vector<To>& copy) {
  std::array<std::size_t, max_rank> order;  // innermost first
  std::size_t rank = 0;
  for (std::size_t axis = 0; axis < call.rank; ++axis) {
    if (numbers.strides[axis] != 0 && call.sizes[axis] > 1) order[rank++] = axis;
  }
  call.sort_innermost_first(std::span(order).first(rank));
  std::array<std::int64_t, max_rank> strides{};
  std::int64_t count = 1;
  for (std::size_t place = 0; place < rank; ++place) {
    strides[order[place]] = count;
    count *= call.sizes[order[place]];
  }
  copy.resize(static_cast<std::size_t>(count));
  const auto* elements = reinterpret_cast<const From*>(numbers.data);
  const std::int64_t line = rank > 0 ? call.sizes[order[0]] : 1;
  const std::int64_t step = rank > 0 ? numbers.strides[order[0]] : 0;
  for (std::int64_t first = 0; first < count; first += line) {
    std::int64_t from = 0;
    std::int64_t rest = first / line;
    for (std::size_t place = 1; place < rank; ++place) {
      from += rest % call.sizes[order[place]] * numbers.strides[order[place]];
      rest /= call.sizes[order[place]];
    }
    To* to = copy.data() + first;
    for (std::int64_t at = 0; at < line; ++at) to[at] = static_cast<To>(elements[from + at * step]);
  }
  numbers.data = reinterpret_cast<std::byte*>(copy.data());
  numbers.element_bytes = sizeof(To);
  numbers.type.bits = 8 * sizeof(To);
  numbers.strides = strides;
}

}  // namespace

[[noreturn]] void fail(const char* id, std::string_view where, const breach::sentence& sentence) {
  throw error(id, std::string(where), sentence.what.str(), sentence.cure.str());
}

const named_axis* find_axis(std::span<const named_axis> axes, std::string_view name) {
  for (const named_axis& axis : axes) {
    if (axis.name == name) return &axis;
  }
  return nullptr;
}

void check_axes(std::string_view where, std::span<const named_axis> axes) {
  for (std::size_t axis = 0; axis < axes.size(); ++axis) {
    if (axes[axis].size < 0) {
      throw error("axis-size", std::string(where),
                  "its axis \"" + std::string(axes[axis].name) + "\" has size " + std::to_string(axes[axis].size),
                  "give sizes of at least 0");
    }
    if (find_axis(axes.first(axis), axes[axis].name) != nullptr) {
      fail("axis-twice", where, breach::axis_twice(axes[axis].name));
    }
  }
}

void check_memory(std::string_view where, const any_view& array) {
  if (array.data() == nullptr && array.element_count() > 0) {
    throw error("array-null", std::string(where), "it has elements and no memory",
                "give a pointer to its first element");
  }
}

void set_width(bound_call& call, int bytes, converted_numbers& copies) {
  for (std::size_t place = 0; place < call.operand_count; ++place) {
    bound_array& numbers = call.arrays[place + 1];
    if (!numbers.is_number || numbers.element_bytes == bytes) continue;
    if (bytes == 4) {
      convert<std::int64_t>(numbers, call, copies.narrow[place]);
    } else {
      convert<std::int32_t>(numbers, call, copies.wide[place]);
    }
  }
}

bound_array& bound_call::add(void* data, halide_type_t type) {
  bound_array& added = arrays[array_count++];
  std::fill_n(added.strides.begin(), rank, 0);
  added.is_number = false;
  added.on_device = false;
  added.data = static_cast<std::byte*>(data);
  added.type = type;
  added.element_bytes = type.bytes();
  return added;
}

bound_array& bound_call::add(const any_view& view, halide_type_t type) {
  bound_array& added = add(view.data(), type);
  added.on_device = view.is_in_device_memory();
  return added;
}

bool bound_call::changes_along(std::size_t axis) const {
  const std::span<const bound_array> all = operands();
  return sizes[axis] != 1 &&
         std::any_of(all.begin(), all.end(), [axis](const bound_array& one) { return one.strides[axis] != 0; });
}

std::int64_t bound_call::element_count() const {
  std::int64_t count = 1;
  for (std::size_t axis = 0; axis < rank; ++axis) count *= sizes[axis];
  return count;
}

void bound_call::sort_innermost_first(std::span<std::size_t> axes) const {
  const auto stride = [this](std::size_t axis) { return std::abs(out().strides[axis]); };
  std::sort(axes.begin(), axes.end(), [&](std::size_t a, std::size_t b) { return stride(a) < stride(b); });
}

void lay_on_logits(bound_array& array, std::string_view where, std::span<const named_axis> axes,
                   std::span<const named_axis> logits_axes, std::string_view from, std::string_view to) {
  for (const named_axis& axis : axes) {
    const std::string_view name = !from.empty() && axis.name == from ? to : axis.name;
    const named_axis* logits_axis = find_axis(logits_axes, name);
    if (logits_axis == nullptr)
      fail("axis-foreign", where, breach::foreign_axis(axis.name, names_of_axes(logits_axes)));
    check_size(where, axis, axis.name, *logits_axis);
    array.strides[static_cast<std::size_t>(logits_axis - logits_axes.data())] = axis.stride;
  }
}

void check_side_inputs(const layer_values& layer, std::span<const side_input> side_inputs) {
  const layer_type& type = *layer.type;
  for (std::size_t place = 0; place < side_inputs.size(); ++place) {
    const std::string_view name = side_inputs[place].name;
    const auto is_taken = [&](std::size_t index) {
      return is_side_input(type.attributes[index].kind) && layer.attributes[index].name == name;
    };
    if (std::none_of(type.operands.begin(), type.operands.end(), is_taken)) {
      fail("side-input-unknown", name, breach::side_input_unknown(name, taken_names(layer)));
    }
    const std::span<const side_input> before = side_inputs.first(place);
    if (std::any_of(before.begin(), before.end(), [&](const side_input& one) { return one.name == name; })) {
      fail("side-input-twice", name, breach::side_input_twice(name));
    }
  }
}

void bind_arrays(const layer_values& layer, const any_view& logits, std::span<const side_input> side_inputs,
                 bound_call& call) {
  const layer_type& type = *layer.type;

  // The logits.
  check_axes("logits", logits.axes());
  if (!info(logits.type()).is_float) fail("logits-dtype", "logits", breach::logits_not_floats(logits.type()));
  std::string_view query_axis;
  std::string_view kv_axis;
  for (std::size_t index = 0; index < type.attributes.size(); ++index) {
    const attribute_kind kind = type.attributes[index].kind;
    if (kind != attribute_kind::query_axis && kind != attribute_kind::kv_axis) continue;
    const std::string_view name = layer.attributes[index].name;
    (kind == attribute_kind::query_axis ? query_axis : kv_axis) = name;
    if (find_axis(logits.axes(), name) == nullptr) {
      fail("axis-missing", "logits",
           breach::logits_lack_axis(name, type.attributes[index].name, names_of_axes(logits.axes())));
    }
  }
  const int element_bytes = info(logits.type()).bytes;
  const halide_type_t element_type(halide_type_uint, static_cast<std::uint8_t>(8 * element_bytes), 1);
  call.array_count = 0;
  call.rank = logits.axes().size();
  bound_array& bound_logits = call.add(logits, element_type);
  for (std::size_t axis = 0; axis < call.rank; ++axis) {
    call.sizes[axis] = logits.axes()[axis].size;
    bound_logits.strides[axis] = logits.axes()[axis].stride;
  }

  // The side inputs: each that is given is taken, once, and each that is taken is given.
  check_side_inputs(layer, side_inputs);
  for (const std::size_t index : type.operands) {
    const attribute_record& record = type.attributes[index];
    const attribute_value& value = layer.attributes[index];
    if (record.kind == attribute_kind::parameter) {
      const halide_type_t int64(halide_type_int, 64, 1);
      if (value.numbers == nullptr) {
        check_number(record, value.number);
        call.add(const_cast<std::int64_t*>(&value.number), int64);
      } else {
        check_axes(record.name, value.numbers->axes());
        check_memory(record.name, *value.numbers);
        bound_array& numbers = call.add(value.numbers->data(), int64);
        lay_on_logits(numbers, record.name, value.numbers->axes(), logits.axes());
        check_numbers(record, *value.numbers);
      }
      continue;
    }
    const auto found = std::find_if(side_inputs.begin(), side_inputs.end(),
                                    [&](const side_input& input) { return input.name == value.name; });
    if (found == side_inputs.end()) {
      fail("side-input-missing", value.name,
           breach::side_input_missing(value.name, record.name, given_names(side_inputs)));
    }
    const any_view& array = found->array;
    check_axes(value.name, array.axes());
    check_memory(value.name, array);
    if (record.kind == attribute_kind::mask) {
      if (array.type() != dtype::boolean) fail("mask-dtype", value.name, breach::mask_not_boolean(array.type()));
      lay_on_logits(call.add(array, halide_type_t(halide_type_uint, 8, 1)), value.name, array.axes(), logits.axes());
      continue;
    }
    if (array.type() != dtype::int32 && array.type() != dtype::int64) {
      fail("positions-dtype", value.name,
           is_positions(record.kind) ? breach::positions_not_integers(array.type())
                                     : breach::not_integers(array.type()));
    }
    if (is_positions(record.kind) && find_axis(array.axes(), query_axis) == nullptr) {
      fail("axis-missing", value.name, breach::side_input_lacks_axis(query_axis, names_of_axes(array.axes())));
    }
    const bool of_keys = record.kind == attribute_kind::kv_positions;
    if (of_keys && query_axis != kv_axis && find_axis(array.axes(), kv_axis) != nullptr) {
      fail("axis-twice", value.name, breach::key_axis_twice(query_axis, kv_axis));
    }
    bound_array& positions =
        call.add(array, halide_type_t(halide_type_int, static_cast<std::uint8_t>(8 * info(array.type()).bytes), 1));
    positions.is_number = true;
    lay_on_logits(positions, value.name, array.axes(), logits.axes(), of_keys ? query_axis : std::string_view(),
                  of_keys ? kv_axis : std::string_view());
  }
  call.operand_count = type.operands.size();
}

}  // namespace axismask
