// Runs a layer on arrays that are bound: checks the result's place, folds axes, cuts the work into boxes and calls a
// kernel on each.
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

#include "axismask/call.hpp"
#include "axismask/linked.hpp"
#include "axismask/text.hpp"
#include "bind.hpp"
#include "masked_bits.hpp"

namespace axismask {
namespace {

constexpr std::size_t kernel_rank = 4;                          // of every array of a kernel
constexpr std::int64_t parallel_bytes = std::int64_t{1} << 18;  // below, waking a thread costs more than it does
// Kernels count bytes in 32 bits; a box stays well within, and so do the strides inside it.
constexpr std::int64_t box_span = std::int64_t{1} << 30;
constexpr std::int64_t box_bytes = std::int64_t{1}
                                   << 20;  // of logits: work enough for one call, boxes enough to balance

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
address_range range_of(const bound_array& array, const bound_call& call) {
  address_range range{array.data, array.data + array.element_bytes};
  for (std::size_t axis = 0; axis < call.rank; ++axis) {
    const std::int64_t reach = (call.sizes[axis] - 1) * array.strides[axis] * array.element_bytes;
    (reach < 0 ? range.begin : range.end) += reach;
  }
  return range;
}

// The result must have one place for each element, and no place of the logits' unless it is the same place.
void check_places(const bound_call& call) {
  const bound_array& logits = call.arrays[0];
  const bound_array& out = call.arrays[call.array_count - 1];
  std::array<std::size_t, max_rank> order{};
  std::size_t count = 0;
  for (std::size_t axis = 0; axis < call.rank; ++axis) {
    if (call.sizes[axis] > 1) order[count++] = axis;
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
    reach += (call.sizes[order[place]] - 1) * stride;
  }
  bool same = logits.data == out.data;
  for (std::size_t axis = 0; axis < call.rank; ++axis) {
    same = same && (call.sizes[axis] == 1 || logits.strides[axis] == out.strides[axis]);
  }
  const address_range read = range_of(logits, call);
  const address_range written = range_of(out, call);
  if (!same && read.begin < written.end && written.begin < read.end) {
    throw error("result-overlap", "out", "it overlaps the logits without being the same array",
                "give memory of its own, or the logits themselves to mask in place");
  }
}

// Makes the work small in axes: drops those of size 1, turns the result's strides positive, sorts its axes from the
// innermost out, and folds two axes into one where every array allows it.
void fold_axes(bound_call& call) {
  std::array<std::size_t, max_rank> order{};
  std::size_t rank = 0;
  const std::span<bound_array> arrays(call.arrays.data(), call.array_count);
  for (std::size_t axis = 0; axis < call.rank; ++axis) {
    if (call.sizes[axis] == 1) continue;
    if (arrays.back().strides[axis] < 0) {
      for (bound_array& array : arrays) {
        array.data += (call.sizes[axis] - 1) * array.strides[axis] * array.element_bytes;
        array.strides[axis] = -array.strides[axis];
      }
    }
    order[rank++] = axis;
  }
  std::sort(order.begin(), order.begin() + static_cast<std::ptrdiff_t>(rank),
            [&](std::size_t a, std::size_t b) { return arrays.back().strides[a] < arrays.back().strides[b]; });
  const std::array<bound_array, max_arrays> before = call.arrays;
  const std::array<std::int64_t, max_rank> sizes = call.sizes;
  call.rank = 0;
  for (std::size_t place = 0; place < rank; ++place) {
    const std::size_t axis = order[place];
    const auto follows = [&](const bound_array& array) {
      const auto index = static_cast<std::size_t>(&array - arrays.data());
      return before[index].strides[axis] == call.sizes[call.rank - 1] * array.strides[call.rank - 1];
    };
    if (call.rank > 0 && std::all_of(arrays.begin(), arrays.end(), follows)) {
      call.sizes[call.rank - 1] *= sizes[axis];
      continue;
    }
    for (std::size_t index = 0; index < call.array_count; ++index) {
      arrays[index].strides[call.rank] = before[index].strides[axis];
    }
    call.sizes[call.rank++] = sizes[axis];
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

boxes cut(const bound_call& call) {
  boxes result;
  std::int64_t elements = 1;
  std::array<std::int64_t, max_arrays> span{};
  for (std::size_t axis = 0; axis < call.rank; ++axis) {
    std::int64_t size = axis < kernel_rank ? call.sizes[axis] : 1;
    size = std::min(size, std::max<std::int64_t>(1, box_bytes / call.arrays[0].element_bytes / elements));
    for (std::size_t index = 0; index < call.array_count; ++index) {
      const std::int64_t stride = std::abs(call.arrays[index].strides[axis]) * call.arrays[index].element_bytes;
      if (stride > 0) size = std::min(size, 1 + (box_span - span[index]) / stride);
    }
    for (std::size_t index = 0; index < call.array_count; ++index) {
      span[index] += (size - 1) * std::abs(call.arrays[index].strides[axis]) * call.arrays[index].element_bytes;
    }
    elements *= size;
    result.size[axis] = size;
    result.count[axis] = (call.sizes[axis] + size - 1) / size;
    result.total *= result.count[axis];
  }
  return result;
}

struct work {
  work(const bound_call& what, const boxes& how, int (*kernel)(void**), std::uint64_t masked)
      : what(what),
        how(how),
        kernel(kernel),
        masked(masked),
        tasks(static_cast<int>(std::min<std::int64_t>(how.total, max_tasks))) {}

  static constexpr std::int64_t max_tasks = 1 << 16;

  const bound_call& what;
  const boxes& how;
  int (*kernel)(void**);
  std::uint64_t masked;
  int tasks;
  std::atomic<int> code{0};
  std::array<char, 512> message{};
};

void run_box(work& work, std::int64_t index) {
  const bound_call& bound = work.what;
  std::array<std::int64_t, max_rank> first{};
  std::array<std::int32_t, kernel_rank> sizes;
  sizes.fill(1);
  for (std::size_t axis = 0; axis < bound.rank; ++axis) {
    first[axis] = index % work.how.count[axis] * work.how.size[axis];
    index /= work.how.count[axis];
    if (axis < kernel_rank) {
      sizes[axis] = static_cast<std::int32_t>(std::min(work.how.size[axis], bound.sizes[axis] - first[axis]));
    }
  }

  std::array<std::array<halide_dimension_t, kernel_rank>, max_arrays> dimensions;
  std::array<halide_buffer_t, max_arrays> buffers{};
  for (std::size_t array = 0; array < bound.array_count; ++array) {
    const bound_array& from = bound.arrays[array];
    std::byte* start = from.data;
    for (std::size_t axis = 0; axis < bound.rank; ++axis)
      start += first[axis] * from.strides[axis] * from.element_bytes;
    for (std::size_t axis = 0; axis < kernel_rank; ++axis) {
      const bool stands = axis < bound.rank && sizes[axis] > 1;
      // Along an axis of one element the stride means nothing, and may not fit.
      dimensions[array][axis] =
          halide_dimension_t(0, sizes[axis], stands ? static_cast<std::int32_t>(from.strides[axis]) : 0);
    }
    // An innermost axis of one element counts as contiguous.
    if (sizes[0] == 1 && (array == 0 || array + 1 == bound.array_count)) dimensions[array][0].stride = 1;
    buffers[array].host = reinterpret_cast<std::uint8_t*>(start);
    buffers[array].type = from.type;
    buffers[array].dimensions = kernel_rank;
    buffers[array].dim = dimensions[array].data();
  }

  kernel_call report;
  void* context = &report;
  std::uint64_t masked = work.masked;
  std::array<void*, max_arrays + 2> arguments{};
  std::size_t argument = 0;
  arguments[argument++] = static_cast<void*>(&context);
  for (std::size_t array = 0; array + 1 < bound.array_count; ++array) arguments[argument++] = &buffers[array];
  arguments[argument++] = &masked;
  arguments[argument++] = &buffers[bound.array_count - 1];

  current_call = &report;
  const int code = work.kernel(arguments.data());
  current_call = nullptr;
  int none = 0;
  if (code != 0 && work.code.compare_exchange_strong(none, code)) work.message = report.message;
}

// One task's share of the boxes.
int run_task(void*, int index, std::uint8_t* closure) {
  work& all = *reinterpret_cast<work*>(closure);
  const std::int64_t first = all.how.total * index / all.tasks;
  const std::int64_t last = all.how.total * (index + 1) / all.tasks;
  for (std::int64_t box = first; box < last; ++box) run_box(all, box);
  return 0;
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

  check_memory("logits", logits);
  bound_call call = bind(layer, logits, side_inputs);
  check_result(logits, out);
  const std::uint64_t masked = masked_bits(layer.masked_out_value, logits.type());
  const kernel& kernel = find_kernel(*linked, facts(logits.type()).bytes, call.position_bytes);
  lay_on_logits(call.add(out.data(), call.arrays[0].type), "out", out.axes(), logits.axes());

  const std::int64_t elements = logits.element_count();
  if (elements == 0) return;
  check_places(call);
  fold_axes(call);
  const boxes boxes = cut(call);
  replace_error_handler();
  work work(call, boxes, kernel.run, masked);
  if (elements * call.arrays[0].element_bytes < parallel_bytes) work.tasks = 1;
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
