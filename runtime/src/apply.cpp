// Runs a layer: brings its arrays together by the names of their axes, checks them, cuts the work into boxes and calls
// a kernel on each.
#include <HalideRuntime.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "axismask/breach.hpp"
#include "axismask/call.hpp"
#include "axismask/linked.hpp"
#include "masked_bits.hpp"

namespace axismask {
namespace {

constexpr std::size_t kernel_rank = 4;                // of every array of a kernel
constexpr std::size_t max_arrays = max_operands + 2;  // logits, operands, out
constexpr std::size_t max_rank = any_view::max_rank;
constexpr std::int64_t parallel_bytes = std::int64_t{1} << 18;  // below, waking a thread costs more than it does
// Kernels count bytes in 32 bits; a box stays well within, and so do the strides inside it.
constexpr std::int64_t box_span = std::int64_t{1} << 30;
constexpr std::int64_t box_bytes = std::int64_t{1}
                                   << 20;  // of logits: work enough for one call, boxes enough to balance

[[noreturn]] void fail(const char* id, std::string_view where, const breach::sentence& sentence) {
  throw error(id, std::string(where), sentence.what.str(), sentence.cure.str());
}

struct names_of_axes {
  explicit names_of_axes(std::span<const named_axis> axes) : size(axes.size()) {
    for (std::size_t axis = 0; axis < size; ++axis) storage[axis] = axes[axis].name;
  }
  operator std::span<const std::string_view>() const { return {storage.data(), size}; }  // NOLINT: a list of names

  std::array<std::string_view, max_rank> storage;
  std::size_t size;
};

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

// One array, brought to the axes of the logits.
struct operand {
  std::byte* data = nullptr;
  std::int64_t element_bytes = 1;
  std::array<std::int64_t, max_rank> strides{};  // in elements; 0 along an axis that the array lacks
  halide_type_t type{};
};

// A whole call, in the order in which a kernel takes its arrays: logits, operands, out.
struct plan {
  std::array<operand, max_arrays> arrays;
  std::size_t array_count = 0;
  std::array<std::int64_t, max_rank> sizes{};
  std::size_t rank = 0;
  std::uint64_t masked = 0;
  int (*kernel)(void**) = nullptr;
};

operand& add(plan& plan, void* data, halide_type_t type) {
  operand& added = plan.arrays[plan.array_count++];
  added.data = static_cast<std::byte*>(data);
  added.type = type;
  added.element_bytes = type.bytes();
  return added;
}

// `axes` is the array's, `seen_as` an axis of the array and the name that it has among the logits'.
void lay_on_logits(operand& array, std::string_view where, std::span<const named_axis> axes,
                   std::span<const named_axis> logits_axes, std::string_view from = {}, std::string_view to = {}) {
  for (const named_axis& axis : axes) {
    const std::string_view name = !from.empty() && axis.name == from ? to : axis.name;
    const named_axis* logits_axis = find_axis(logits_axes, name);
    if (logits_axis == nullptr)
      fail("axis-foreign", where, breach::foreign_axis(axis.name, names_of_axes(logits_axes)));
    check_size(where, axis, axis.name, *logits_axis);
    array.strides[static_cast<std::size_t>(logits_axis - logits_axes.data())] = axis.stride;
  }
}

void check_result(const any_view& logits, const any_view& out) {
  check_axes("out", out.axes());
  check_memory("out", out);
  if (out.type() != logits.type()) {
    throw error("result-dtype", "out",
                "it holds " + std::string(facts(out.type()).name) + ", and the logits " +
                    std::string(facts(logits.type()).name),
                "give an array of the logits' dtype");
  }
  for (const named_axis& axis : logits.axes()) {
    if (find_axis(out.axes(), axis.name) == nullptr) {
      throw error(
          "result-axes", "out",
          "it has no axis \"" + std::string(axis.name) + "\"; it has " + quoted_list(names_of_axes(out.axes())).str(),
          "give an array with the logits' axes, in any order");
    }
  }
}

// The lowest and the highest address that an array touches, the latter excluded.
struct address_range {
  const std::byte* begin;
  const std::byte* end;
};
address_range range_of(const operand& array, const plan& plan) {
  address_range range{array.data, array.data + array.element_bytes};
  for (std::size_t axis = 0; axis < plan.rank; ++axis) {
    const std::int64_t reach = (plan.sizes[axis] - 1) * array.strides[axis] * array.element_bytes;
    (reach < 0 ? range.begin : range.end) += reach;
  }
  return range;
}

// The result must have one place for each element, and no place of the logits' unless it is the same place.
void check_places(const plan& plan) {
  const operand& logits = plan.arrays[0];
  const operand& out = plan.arrays[plan.array_count - 1];
  std::array<std::size_t, max_rank> order{};
  std::size_t count = 0;
  for (std::size_t axis = 0; axis < plan.rank; ++axis) {
    if (plan.sizes[axis] > 1) order[count++] = axis;
  }
  std::sort(order.begin(), order.begin() + static_cast<std::ptrdiff_t>(count),
            [&](std::size_t a, std::size_t b) { return std::abs(out.strides[a]) < std::abs(out.strides[b]); });
  std::int64_t reach = 0;
  for (std::size_t place = 0; place < count; ++place) {
    const std::int64_t stride = std::abs(out.strides[order[place]]);
    if (stride <= reach) {
      throw error("result-overlap", "out", "several of its elements lie in one place",
                  "give an array whose strides keep its elements apart");
    }
    reach += (plan.sizes[order[place]] - 1) * stride;
  }
  bool same = logits.data == out.data;
  for (std::size_t axis = 0; axis < plan.rank; ++axis) {
    same = same && (plan.sizes[axis] == 1 || logits.strides[axis] == out.strides[axis]);
  }
  const address_range read = range_of(logits, plan);
  const address_range written = range_of(out, plan);
  if (!same && read.begin < written.end && written.begin < read.end) {
    throw error("result-overlap", "out", "it overlaps the logits without being the same array",
                "give memory of its own, or the logits themselves to mask in place");
  }
}

// Makes the work small in axes: drops those of size 1, turns the result's strides positive, sorts its axes from the
// innermost out, and folds two axes into one where every array allows it.
void fold_axes(plan& plan) {
  std::array<std::size_t, max_rank> order{};
  std::size_t rank = 0;
  const std::span<operand> arrays(plan.arrays.data(), plan.array_count);
  for (std::size_t axis = 0; axis < plan.rank; ++axis) {
    if (plan.sizes[axis] == 1) continue;
    if (arrays.back().strides[axis] < 0) {
      for (operand& array : arrays) {
        array.data += (plan.sizes[axis] - 1) * array.strides[axis] * array.element_bytes;
        array.strides[axis] = -array.strides[axis];
      }
    }
    order[rank++] = axis;
  }
  std::sort(order.begin(), order.begin() + static_cast<std::ptrdiff_t>(rank),
            [&](std::size_t a, std::size_t b) { return arrays.back().strides[a] < arrays.back().strides[b]; });
  const auto before = plan;
  plan.rank = 0;
  for (std::size_t place = 0; place < rank; ++place) {
    const std::size_t axis = order[place];
    const auto follows = [&](const operand& array) {
      const auto index = static_cast<std::size_t>(&array - arrays.data());
      return before.arrays[index].strides[axis] == plan.sizes[plan.rank - 1] * array.strides[plan.rank - 1];
    };
    if (plan.rank > 0 && std::all_of(arrays.begin(), arrays.end(), follows)) {
      plan.sizes[plan.rank - 1] *= before.sizes[axis];
      continue;
    }
    for (std::size_t index = 0; index < plan.array_count; ++index) {
      arrays[index].strides[plan.rank] = before.arrays[index].strides[axis];
    }
    plan.sizes[plan.rank++] = before.sizes[axis];
  }
}

// What a kernel reports comes here with the call that it belongs to.
struct kernel_call {
  std::array<char, 512> message{};
};
thread_local kernel_call* current_call = nullptr;
halide_error_handler_t previous_handler = nullptr;

// Halide's own handler ends the program. This one leaves the text with the call, and whatever does not come from a call
// of ours to the handler that was there before.
void on_halide_error(void* user_context, const char* message) {
  if (user_context != nullptr && user_context == current_call) {
    std::snprintf(current_call->message.data(), current_call->message.size(), "%s", message);
  } else if (previous_handler != nullptr) {
    previous_handler(user_context, message);
  }
}

void replace_error_handler() {
  static std::once_flag once;
  std::call_once(once, [] { previous_handler = halide_set_error_handler(on_halide_error); });
}

// How the axes are cut: a box has this size along each.
struct boxes {
  std::array<std::int64_t, max_rank> size{};
  std::array<std::int64_t, max_rank> count{};
  std::int64_t total = 1;
};

boxes cut(const plan& plan) {
  boxes result;
  std::int64_t elements = 1;
  std::array<std::int64_t, max_arrays> span{};
  for (std::size_t axis = 0; axis < plan.rank; ++axis) {
    std::int64_t size = axis < kernel_rank ? plan.sizes[axis] : 1;
    size = std::min(size, std::max<std::int64_t>(1, box_bytes / plan.arrays[0].element_bytes / elements));
    for (std::size_t index = 0; index < plan.array_count; ++index) {
      const std::int64_t stride = std::abs(plan.arrays[index].strides[axis]) * plan.arrays[index].element_bytes;
      if (stride > 0) size = std::min(size, 1 + (box_span - span[index]) / stride);
    }
    for (std::size_t index = 0; index < plan.array_count; ++index) {
      span[index] += (size - 1) * std::abs(plan.arrays[index].strides[axis]) * plan.arrays[index].element_bytes;
    }
    elements *= size;
    result.size[axis] = size;
    result.count[axis] = (plan.sizes[axis] + size - 1) / size;
    result.total *= result.count[axis];
  }
  return result;
}

struct work {
  work(const plan& what, const boxes& how)
      : what(what), how(how), tasks(static_cast<int>(std::min<std::int64_t>(how.total, max_tasks))) {}

  static constexpr std::int64_t max_tasks = 1 << 16;

  const plan& what;
  const boxes& how;
  int tasks;
  std::atomic<int> code{0};
  std::array<char, 512> message{};
};

void run_box(work& work, std::int64_t index) {
  const plan& plan = work.what;
  std::array<std::int64_t, max_rank> first{};
  std::array<std::int32_t, kernel_rank> sizes;
  sizes.fill(1);
  for (std::size_t axis = 0; axis < plan.rank; ++axis) {
    first[axis] = index % work.how.count[axis] * work.how.size[axis];
    index /= work.how.count[axis];
    if (axis < kernel_rank) {
      sizes[axis] = static_cast<std::int32_t>(std::min(work.how.size[axis], plan.sizes[axis] - first[axis]));
    }
  }

  std::array<std::array<halide_dimension_t, kernel_rank>, max_arrays> dimensions;
  std::array<halide_buffer_t, max_arrays> buffers{};
  for (std::size_t array = 0; array < plan.array_count; ++array) {
    const operand& from = plan.arrays[array];
    std::byte* start = from.data;
    for (std::size_t axis = 0; axis < plan.rank; ++axis) start += first[axis] * from.strides[axis] * from.element_bytes;
    for (std::size_t axis = 0; axis < kernel_rank; ++axis) {
      const bool stands = axis < plan.rank && sizes[axis] > 1;
      // Along an axis of one element the stride means nothing, and may not fit.
      dimensions[array][axis] =
          halide_dimension_t(0, sizes[axis], stands ? static_cast<std::int32_t>(from.strides[axis]) : 0);
    }
    // An innermost axis of one element counts as contiguous.
    if (sizes[0] == 1 && (array == 0 || array + 1 == plan.array_count)) dimensions[array][0].stride = 1;
    buffers[array].host = reinterpret_cast<std::uint8_t*>(start);
    buffers[array].type = from.type;
    buffers[array].dimensions = kernel_rank;
    buffers[array].dim = dimensions[array].data();
  }

  kernel_call call;
  void* context = &call;
  std::uint64_t masked = plan.masked;
  std::array<void*, max_arrays + 2> arguments{};
  std::size_t argument = 0;
  arguments[argument++] = static_cast<void*>(&context);
  for (std::size_t array = 0; array + 1 < plan.array_count; ++array) arguments[argument++] = &buffers[array];
  arguments[argument++] = &masked;
  arguments[argument++] = &buffers[plan.array_count - 1];

  current_call = &call;
  const int code = plan.kernel(arguments.data());
  current_call = nullptr;
  int none = 0;
  if (code != 0 && work.code.compare_exchange_strong(none, code)) work.message = call.message;
}

// One task's share of the boxes.
int run_task(void*, int index, std::uint8_t* closure) {
  work& all = *reinterpret_cast<work*>(closure);
  const std::int64_t first = all.how.total * index / all.tasks;
  const std::int64_t last = all.how.total * (index + 1) / all.tasks;
  for (std::int64_t box = first; box < last; ++box) run_box(all, box);
  return 0;
}

// Replaces 32-bit positions by 64-bit ones, for a kernel whose other positions are of 64 bits. A copy of the elements
// that there are: an axis that the array lacks stays a stride of 0.
void widen(operand& positions, const plan& plan, std::vector<std::unique_ptr<std::int64_t[]>>& storage) {
  std::array<std::int64_t, max_rank> strides{};
  std::int64_t count = 1;
  for (std::size_t axis = 0; axis < plan.rank; ++axis) {
    if (positions.strides[axis] == 0) continue;
    strides[axis] = count;
    count *= plan.sizes[axis];
  }
  storage.push_back(std::make_unique<std::int64_t[]>(static_cast<std::size_t>(count)));
  std::int64_t* wide = storage.back().get();
  const auto* narrow = reinterpret_cast<const std::int32_t*>(positions.data);
  for (std::int64_t index = 0; index < count; ++index) {
    std::int64_t from = 0;
    for (std::size_t axis = 0; axis < plan.rank; ++axis) {
      if (strides[axis] > 0) from += index / strides[axis] % plan.sizes[axis] * positions.strides[axis];
    }
    wide[index] = narrow[from];
  }
  positions.data = reinterpret_cast<std::byte*>(wide);
  positions.element_bytes = 8;
  positions.strides = strides;
}

const kernel& find_kernel(const linked_layer& layer, int element_bytes, int position_bytes) {
  const std::string_view variant = chosen_variant(layer);
  for (const kernel& kernel : layer.kernels) {
    if (kernel.variant == variant && kernel.element_bytes == element_bytes && kernel.position_bytes == position_bytes) {
      return kernel;
    }
  }
  throw error("kernel-missing", std::string(layer.type->name), "none of its kernels runs on this machine",
              "list a target for it in axismask_add_layers(... TARGETS ...); `axismask kernels` shows what there is");
}

}  // namespace

void apply(const layer_values& layer, const any_view& logits, const any_view& out,
           std::span<const side_input> side_inputs) {
  const layer_type& type = *layer.type;
  const linked_layer* linked = find_linked_layer(type.name);
  if (linked == nullptr) {
    throw error("kernel-missing", std::string(type.name), "no kernel of this layer is linked into the program",
                "name it in AXISMASK_LAYERS of a header given to axismask_add_layers, and link that library");
  }

  // The logits and the result.
  check_axes("logits", logits.axes());
  check_memory("logits", logits);
  if (!facts(logits.type()).is_float) fail("logits-dtype", "logits", breach::logits_not_floats(logits.type()));
  std::string_view query_axis;
  std::string_view kv_axis;
  for (std::size_t index = 0; index < type.attributes.size(); ++index) {
    const role part = type.attributes[index].part;
    if (part != role::query_axis && part != role::kv_axis) continue;
    const std::string_view name = layer.attributes[index].name;
    (part == role::query_axis ? query_axis : kv_axis) = name;
    if (find_axis(logits.axes(), name) == nullptr) {
      fail("axis-missing", "logits",
           breach::logits_lack_axis(name, type.attributes[index].name, names_of_axes(logits.axes())));
    }
  }
  check_result(logits, out);
  const int element_bytes = facts(logits.type()).bytes;
  const halide_type_t element_type(halide_type_uint, static_cast<std::uint8_t>(8 * element_bytes), 1);
  plan plan;
  plan.masked = masked_bits(layer.masked_out_value, logits.type());
  plan.rank = logits.axes().size();
  for (std::size_t axis = 0; axis < plan.rank; ++axis) plan.sizes[axis] = logits.axes()[axis].size;
  lay_on_logits(add(plan, logits.data(), element_type), "logits", logits.axes(), logits.axes());

  // The side inputs: each that is given is taken, once, and each that is taken is given.
  std::array<std::string_view, max_operands> given{};
  std::array<std::string_view, max_operands> taken{};
  std::size_t taken_count = 0;
  for (const std::size_t index : type.operands) {
    const std::string_view name = layer.attributes[index].name;
    const auto end = taken.begin() + static_cast<std::ptrdiff_t>(taken_count);
    if (is_side_input(type.attributes[index].part) && std::find(taken.begin(), end, name) == end) {
      taken[taken_count++] = name;
    }
  }
  const std::span<const std::string_view> taken_names(taken.data(), taken_count);
  for (std::size_t place = 0; place < side_inputs.size(); ++place) {
    const std::string_view name = side_inputs[place].name;
    if (std::find(taken_names.begin(), taken_names.end(), name) == taken_names.end()) {
      fail("side-input-unknown", name, breach::side_input_unknown(name, taken_names));
    }
    if (std::find(given.begin(), given.begin() + static_cast<std::ptrdiff_t>(place), name) !=
        given.begin() + static_cast<std::ptrdiff_t>(place)) {
      fail("side-input-twice", name, breach::side_input_twice(name));
    }
    given[place] = name;
  }

  // Positions are of one width in a kernel: the wider, when they differ.
  int position_bytes = 4;
  bool positions_differ = false;
  for (const std::size_t index : type.operands) {
    if (!is_positions(type.attributes[index].part)) continue;
    for (const side_input& input : side_inputs) {
      if (input.name == layer.attributes[index].name && input.array.type() == dtype::int64) position_bytes = 8;
      if (input.name == layer.attributes[index].name && input.array.type() == dtype::int32) positions_differ = true;
    }
  }
  positions_differ = positions_differ && position_bytes == 8;
  std::vector<std::unique_ptr<std::int64_t[]>> widened;

  for (const std::size_t index : type.operands) {
    const attribute_record& record = type.attributes[index];
    const attribute_value& value = layer.attributes[index];
    if (record.part == role::parameter) {
      const halide_type_t int64(halide_type_int, 64, 1);
      if (value.numbers == nullptr) {
        add(plan, const_cast<std::int64_t*>(&value.number), int64);
      } else {
        check_axes(record.name, value.numbers->axes());
        check_memory(record.name, *value.numbers);
        lay_on_logits(add(plan, value.numbers->data(), int64), record.name, value.numbers->axes(), logits.axes());
      }
      continue;
    }
    const auto found = std::find_if(side_inputs.begin(), side_inputs.end(),
                                    [&](const side_input& input) { return input.name == value.name; });
    if (found == side_inputs.end()) {
      fail("side-input-missing", value.name,
           breach::side_input_missing(value.name, record.name, std::span(given.data(), side_inputs.size())));
    }
    const any_view& array = found->array;
    check_axes(value.name, array.axes());
    check_memory(value.name, array);
    if (record.part == role::mask) {
      if (array.type() != dtype::boolean) fail("mask-dtype", value.name, breach::mask_not_boolean(array.type()));
      lay_on_logits(add(plan, array.data(), halide_type_t(halide_type_uint, 8, 1)), value.name, array.axes(),
                    logits.axes());
      continue;
    }
    if (array.type() != dtype::int32 && array.type() != dtype::int64) {
      fail("positions-dtype", value.name, breach::positions_not_integers(array.type()));
    }
    if (find_axis(array.axes(), query_axis) == nullptr) {
      fail("axis-missing", value.name, breach::side_input_lacks_axis(query_axis, names_of_axes(array.axes())));
    }
    const bool of_keys = record.part == role::kv_positions;
    if (of_keys && query_axis != kv_axis && find_axis(array.axes(), kv_axis) != nullptr) {
      fail("axis-twice", value.name, breach::key_axis_twice(query_axis, kv_axis));
    }
    operand& positions =
        add(plan, array.data(), halide_type_t(halide_type_int, static_cast<std::uint8_t>(8 * position_bytes), 1));
    lay_on_logits(positions, value.name, array.axes(), logits.axes(), of_keys ? query_axis : std::string_view(),
                  of_keys ? kv_axis : std::string_view());
    if (positions_differ && array.type() == dtype::int32) widen(positions, plan, widened);
  }
  lay_on_logits(add(plan, out.data(), element_type), "out", out.axes(), logits.axes());
  plan.kernel = find_kernel(*linked, element_bytes, position_bytes).run;

  const std::int64_t elements = logits.element_count();
  if (elements == 0) return;
  check_places(plan);
  fold_axes(plan);
  const boxes boxes = cut(plan);
  replace_error_handler();
  work work{plan, boxes};
  if (elements * element_bytes < parallel_bytes) work.tasks = 1;
  if (work.tasks == 1) {
    run_task(nullptr, 0, reinterpret_cast<std::uint8_t*>(&work));
  } else {
    halide_do_par_for(nullptr, run_task, 0, work.tasks, reinterpret_cast<std::uint8_t*>(&work));
  }
  if (work.code != 0) {
    std::string message(work.message.data());
    while (!message.empty() && message.back() == '\n') message.pop_back();
    throw error("kernel-failed", std::string(type.name),
                "its kernel gave code " + std::to_string(work.code) + " (" + message + ")",
                "report this with the arrays' axes, sizes and strides: it is a mistake in axismask");
  }
}

}  // namespace axismask
