// Brings a layer's arrays together by the names of their axes, and says what does not fit.
#include "arrays/bind_arrays.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "arrays/masked_bits.hpp"
#include "arrays/result_check.hpp"
#include "axismask/call/attribute_rules.hpp"
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
  if (const auto problem = breach_of_number(parameter, number)) fail("parameter-value", parameter.name, *problem);
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

// An array's axis that has another name among the logits': positions of keys may lie along the query axis' name.
struct axis_renaming {
  std::string_view from;
  std::string_view to;
};

void lay_on_logits(bound_array& array, std::string_view where, std::span<const named_axis> axes,
                   std::span<const named_axis> logits_axes, const axis_renaming& renaming = {}) {
  for (const named_axis& axis : axes) {
    const std::string_view name = !renaming.from.empty() && axis.name == renaming.from ? renaming.to : axis.name;
    const named_axis* logits_axis = find_axis(logits_axes, name);
    if (logits_axis == nullptr) {
      fail("axis-foreign", where, breach::foreign_axis(axis.name, names_of_axes(logits_axes)));
    }
    check_size(where, axis, axis.name, *logits_axis);
    array.strides[static_cast<std::size_t>(logits_axis - logits_axes.data())] = axis.stride;
  }
}

void check_logits(const layer_values& layer, const any_view& logits) {
  const layer_type& type = *layer.type;
  check_axes("logits", logits.axes());
  if (!info(logits.type()).is_float) fail("logits-dtype", "logits", breach::logits_not_floats(logits.type()));
  for (std::size_t index = 0; index < type.attributes.size(); ++index) {
    if (!is_axis_name(type.attributes[index].kind)) continue;
    const std::string_view name = layer.attributes[index].name;
    if (find_axis(logits.axes(), name) == nullptr) {
      fail("axis-missing", "logits",
           breach::logits_lack_axis(name, type.attributes[index].name, names_of_axes(logits.axes())));
    }
  }
}

void bind_logits(const any_view& logits, bound_call& call) {
  call.array_count = 0;
  call.rank = logits.axes().size();
  bound_array& bound = call.add(logits);
  for (std::size_t axis = 0; axis < call.rank; ++axis) {
    call.sizes[axis] = logits.axes()[axis].size;
    bound.strides[axis] = logits.axes()[axis].stride;
  }
}

void bind_parameter(const attribute_record& record, const attribute_value& value,
                    std::span<const named_axis> logits_axes, bound_call& call) {
  if (value.numbers == nullptr) {
    check_number(record, value.number);
    call.add(const_cast<std::int64_t*>(&value.number), dtype::int64);
    return;
  }
  check_axes(record.name, value.numbers->axes());
  check_memory(record.name, *value.numbers);
  bound_array& numbers = call.add(value.numbers->data(), dtype::int64);
  lay_on_logits(numbers, record.name, value.numbers->axes(), logits_axes);
  check_numbers(record, *value.numbers);
}

const any_view& find_array(const attribute_record& record, std::string_view name,
                           std::span<const side_input> side_inputs) {
  const auto found =
      std::find_if(side_inputs.begin(), side_inputs.end(), [&](const side_input& input) { return input.name == name; });
  if (found == side_inputs.end()) {
    fail("side-input-missing", name, breach::side_input_missing(name, record.name, given_names(side_inputs)));
  }
  check_axes(name, found->array.axes());
  check_memory(name, found->array);
  return found->array;
}

void bind_mask(std::string_view name, const any_view& mask, std::span<const named_axis> logits_axes, bound_call& call) {
  if (mask.type() != dtype::boolean) fail("mask-dtype", name, breach::mask_not_boolean(mask.type()));
  lay_on_logits(call.add(mask), name, mask.axes(), logits_axes);
}

void bind_numbers(attribute_kind kind, std::string_view name, const any_view& array, const position_axes& names,
                  std::span<const named_axis> logits_axes, bound_call& call) {
  if (array.type() != dtype::int32 && array.type() != dtype::int64) {
    fail("positions-dtype", name,
         is_positions(kind) ? breach::positions_not_integers(array.type()) : breach::not_integers(array.type()));
  }
  const bool has_query_axis = find_axis(array.axes(), names.query) != nullptr;
  if (kind == attribute_kind::query_positions && !has_query_axis) {
    fail("axis-missing", name, breach::side_input_lacks_axis(names.query, names_of_axes(array.axes())));
  }
  axis_renaming renaming;
  if (kind == attribute_kind::kv_positions) {
    const bool has_kv_axis = find_axis(array.axes(), names.kv) != nullptr;
    if (!has_query_axis && !has_kv_axis) {
      fail("axis-missing", name, breach::key_positions_lack_axis(names.query, names.kv, names_of_axes(array.axes())));
    }
    if (names.query != names.kv && has_query_axis && has_kv_axis) {
      fail("axis-twice", name, breach::key_axis_twice(names.query, names.kv));
    }
    renaming = {names.query, names.kv};
  }
  bound_array& bound = call.add(array);
  bound.is_number = true;
  lay_on_logits(bound, name, array.axes(), logits_axes, renaming);
}

}  // namespace

const named_axis* find_axis(std::span<const named_axis> axes, std::string_view name) {
  for (const named_axis& axis : axes) {
    if (axis.name == name) return &axis;
  }
  return nullptr;
}

any_view part_of(const any_view& array, std::string_view axis, std::int64_t first, std::int64_t count) {
  std::array<named_axis, max_rank> axes;
  const std::span<named_axis> all = std::span(axes).first(array.axes().size());
  std::copy(array.axes().begin(), array.axes().end(), all.begin());
  auto* data = static_cast<std::byte*>(array.data());
  for (named_axis& one : all) {
    if (one.name != axis) continue;
    data += first * one.stride * info(array.type()).bytes;
    one.size = count;
  }
  return {data, array.type(), all};
}

position_axes position_axes_of(const layer_values& layer) {
  position_axes found;
  for (std::size_t index = 0; index < layer.type->attributes.size(); ++index) {
    const attribute_kind kind = layer.type->attributes[index].kind;
    if (is_axis_name(kind))
      (kind == attribute_kind::query_axis ? found.query : found.kv) = layer.attributes[index].name;
  }
  return found;
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
  if (array.data() == nullptr) {
    if (array.element_count() == 0) return;
    throw error("array-null", std::string(where), "it has elements and no memory",
                "give a pointer to its first element");
  }
  if (array.is_in_device_memory()) return;  // a handle, and no address
  const std::size_t beyond = bytes_beyond_alignment(array.data(), info(array.type()).bytes);
  if (beyond > 0 && array.element_count() > 0) refuse_alignment(where, beyond, info(array.type()).bytes);
}

std::size_t bytes_beyond_alignment(const void* data, std::int64_t element_bytes) {
  return reinterpret_cast<std::uintptr_t>(data) % static_cast<std::uintptr_t>(element_bytes);
}

void refuse_alignment(std::string_view where, std::size_t beyond, std::int64_t element_bytes) {
  throw error("array-alignment", std::string(where),
              "its address is " + std::to_string(beyond) + " more than a multiple of an element's " +
                  std::to_string(element_bytes) + " bytes",
              "give memory that is aligned for its elements");
}

void check_side_inputs(const layer_values& layer, std::span<const side_input> side_inputs) {
  const layer_type& type = *layer.type;
  for (std::size_t given = 0; given < side_inputs.size(); ++given) {
    const std::string_view name = side_inputs[given].name;
    const auto is_taken = [&](std::size_t index) {
      return is_side_input(type.attributes[index].kind) && layer.attributes[index].name == name;
    };
    if (std::none_of(type.operands.begin(), type.operands.end(), is_taken)) {
      fail("side-input-unknown", name.empty() ? "\"\"" : name, breach::side_input_unknown(name, taken_names(layer)));
    }
    const std::span<const side_input> before = side_inputs.first(given);
    if (std::any_of(before.begin(), before.end(), [&](const side_input& input) { return input.name == name; })) {
      fail("side-input-twice", name, breach::side_input_twice(name));
    }
  }
}

void bind_arrays(const layer_values& layer, const any_view& logits, std::span<const side_input> side_inputs,
                 bound_call& call) {
  const layer_type& type = *layer.type;
  check_logits(layer, logits);
  const position_axes names = position_axes_of(layer);
  bind_logits(logits, call);
  // Each side input that is given is taken, once, and each that is taken is given.
  check_side_inputs(layer, side_inputs);
  for (const std::size_t index : type.operands) {
    const attribute_record& record = type.attributes[index];
    const attribute_value& value = layer.attributes[index];
    if (!is_side_input(record.kind)) {
      bind_parameter(record, value, logits.axes(), call);
      continue;
    }
    const any_view& array = find_array(record, value.name, side_inputs);
    switch (info(record.kind).operand_type) {
      case operand::boolean:
        bind_mask(value.name, array, logits.axes(), call);
        break;
      case operand::number:
        bind_numbers(record.kind, value.name, array, names, logits.axes(), call);
        break;
      case operand::none:
        break;
    }
  }
  call.operand_count = type.operands.size();
}

void bind_job(const layer_values& layer, const any_view& logits, const any_view& out,
              std::span<const side_input> side_inputs, mask_job& job) {
  bind_arrays(layer, logits, side_inputs, job.bound);
  if (out.is_const()) fail("result-const", "out", breach::result_const());
  if (&out != &logits) check_result(logits, out);
  job.masked = masked_bits(layer.masked_out_value, logits.type());
  bound_array& bound_out = job.bound.add(out);
  if (&out == &logits) {
    bound_out.strides = job.bound.logits().strides;
  } else {
    lay_on_logits(bound_out, "out", out.axes(), logits.axes());
  }
}

}  // namespace axismask
