// The door to the kernels: binds a call's arrays, checks the result's place, and has the work done.
#include "axismask/call/call.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "arrays/bind_arrays.hpp"
#include "arrays/masked_bits.hpp"
#include "axismask/call/empty_row_rule.hpp"
#include "axismask/linked.hpp"
#include "axismask/messages/text.hpp"
#include "call/empty_row_finder.hpp"
#include "cpu/passes.hpp"
#include "device/device_pass.hpp"
#include "kernels/device_probe.hpp"

namespace axismask {
namespace {

// Below, looking for tiles costs more than the logits that they save.
constexpr std::int64_t tiled_bytes = std::int64_t{1} << 15;

void check_result(const any_view& logits, const any_view& out) {
  check_axes("out", out.axes());
  check_memory("out", out);
  if (out.type() != logits.type()) {
    throw error(
        "result-dtype", "out",
        "it holds " + std::string(info(out.type()).name) + ", and the logits " + std::string(info(logits.type()).name),
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

// The result must have one place for each element, and no place of the logits' unless it is the same place: then the
// call is in place, and this is true.
// `addresses`: `data` is an address, and not what a device calls its memory by.
bool check_places(const bound_call& call, bool addresses) {
  const bound_array& logits = call.logits();
  const bound_array& out = call.out();
  std::array<std::size_t, max_rank> order;
  std::size_t count = 0;
  for (std::size_t axis = 0; axis < call.rank; ++axis) {
    if (call.sizes[axis] > 1) order[count++] = axis;
  }
  call.sort_innermost_first(std::span(order).first(count));
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
  const bool overlap = addresses ? read.begin < written.end && written.begin < read.end : logits.data == out.data;
  if (!same && overlap) {
    throw error("result-overlap", "out", "it overlaps the logits without being the same array",
                "give memory of its own, or the logits themselves to mask in place");
  }
  return same;
}

// The kernels that are to compute, those of the processor or of a device.
std::span<const kernel> find_kernels(const linked_layer& layer, const any_view& logits, const any_view& out,
                                     std::span<const side_input> side_inputs, std::string_view device) {
  const bool on_device = logits.is_in_device_memory();
  if (out.is_in_device_memory() != on_device) {
    throw error("device-memory", "out",
                on_device ? "the logits are in a device's memory, and it is not"
                          : "it is in a device's memory, and the logits are not",
                "give both in the same memory");
  }
  const auto in_device = std::find_if(side_inputs.begin(), side_inputs.end(),
                                      [](const side_input& one) { return one.array.is_in_device_memory(); });
  const bool any_on_device = on_device || in_device != side_inputs.end();
  if (device == "cpu" && any_on_device) {
    throw error("device-memory", on_device ? "logits" : std::string(in_device->name),
                "it is in a device's memory, and the call is for the processor",
                "name the device in call_options::device, or give memory of the host");
  }
  if (device != "cpu" && (device != "auto" || any_on_device)) return device_kernels(layer, device);
  const std::span<const kernel> kernels = chosen_kernels(layer);
  if (!kernels.empty()) return kernels;
  throw error("kernel-missing", std::string(layer.type->name), "none of its kernels runs on this machine",
              "list a target for it in axismask_add_layers(... TARGETS ...); `axismask kernels` shows what there is");
}

const kernel& find_kernel(std::span<const kernel> kernels, int element_bytes, int position_bytes) {
  for (const kernel& kernel : kernels) {
    if (kernel.element_bytes == element_bytes && kernel.position_bytes == position_bytes) return kernel;
  }
  return kernels.front();  // every variant has them all
}

// What a call needs besides its arrays. It is kept from call to call, so that a call allocates nothing once there has
// been one of its size.
struct workspace {
  mask_job job;
  converted_numbers converted;
  tile_planner planner;
  tile_plan plan;
  empty_row_finder empty_rows;
  device_workspaces devices;
};

// The workspace of this thread. While one call has it, another (a pool may run one on this thread meanwhile) makes its
// own.
class borrowed_workspace {
 public:
  borrowed_workspace() : mine_(std::move(kept)) {
    if (mine_ == nullptr) mine_ = std::make_unique<workspace>();
  }
  borrowed_workspace(const borrowed_workspace&) = delete;
  borrowed_workspace& operator=(const borrowed_workspace&) = delete;
  ~borrowed_workspace() { kept = std::move(mine_); }

  workspace& operator*() const { return *mine_; }
  workspace* operator->() const { return mine_.get(); }

  // What is kept for the next call of this thread, if there is something.
  static workspace* of_this_thread() { return kept.get(); }

 private:
  static thread_local std::unique_ptr<workspace> kept;
  std::unique_ptr<workspace> mine_;
};
thread_local std::unique_ptr<workspace> borrowed_workspace::kept;

// Where the axes of a plan are among the logits'. The side inputs are those of the plan, so the axes are there.
tiled_axes axes_of(const tile_plan& plan, std::span<const named_axis> axes) {
  const auto place = [&](std::string_view name) {
    return static_cast<std::size_t>(find_axis(axes, name) - axes.data());
  };
  tiled_axes result;
  result.row = place(plan.query_axis);
  result.column = place(plan.kv_axis);
  for (const std::string& axis : plan.plane_axes) result.planes[result.plane_count++] = place(axis);
  return result;
}

void check_plan(const tile_plan& plan, const layer_values& layer, const any_view& logits,
                std::span<const side_input> side_inputs) {
  const auto has = [&](std::string_view name, std::int64_t size) {
    const named_axis* axis = find_axis(logits.axes(), name);
    return axis != nullptr && axis->size == size;
  };
  bool same = fingerprint(layer, side_inputs) == plan.fingerprint && has(plan.query_axis, plan.queries) &&
              has(plan.kv_axis, plan.keys) && plan.plane_axes.size() == plan.plane_sizes.size();
  for (std::size_t at = 0; same && at < plan.plane_axes.size(); ++at) {
    same = has(plan.plane_axes[at], plan.plane_sizes[at]);
  }
  if (!same) {
    throw error("plan-differs", "plan", "it was made for another layer, other numbers or other side inputs",
                "make a plan of this layer with these side inputs, or call without one");
  }
}

// How a job is to be done: by which tiles, if any, and by which kernel.
struct way {
  tile_layout layout;
  const tile_plan* plan = nullptr;
};

way find_way(mask_job& job, const any_view& logits, const call_options& options, workspace& space,
             const layer_type& type) {
  way found;
  if (options.plan != nullptr && find_layout(job, *options.plan, axes_of(*options.plan, logits.axes()), found.layout)) {
    found.plan = options.plan;
  } else if (logits.element_count() * job.bound.logits().element_bytes >= tiled_bytes &&
             find_layout(job, found.layout)) {
    space.planner.find(type, job.bound, found.layout.tiles, best_tile(job, found.layout), space.plan);
    found.plan = &space.plan;
  }
  return found;
}

// Kernels compute with 32 bits where that is certain to do.
int width_of(const mask_job& job, const layer_type& type, const tile_plan* plan) {
  const std::int64_t largest = plan != nullptr ? plan->largest : largest_number(type, job.bound);
  return largest <= narrow_magnitude ? 4 : 8;
}

// All arrays of a call, the result last, and the masked value.
void bind_all(const layer_values& layer, const any_view& logits, const any_view& out,
              std::span<const side_input> side_inputs, mask_job& job) {
  bind_arrays(layer, logits, side_inputs, job.bound);
  if (&out != &logits) check_result(logits, out);
  job.masked = masked_bits(layer.masked_out_value, logits.type());
  bound_array& bound_out = job.bound.add(out, job.bound.logits().type);
  if (&out == &logits) {
    bound_out.strides = job.bound.logits().strides;
  } else {
    lay_on_logits(bound_out, "out", out.axes(), logits.axes());
  }
}

// Empty rows are found, and what is kept of them is put back, by the processor.
void check_rule_on_device(const layer_values& layer, const any_view& logits, std::span<const side_input> side_inputs) {
  std::string_view array;
  if (layer.empty_rows == empty_row_rule::keep_self && logits.is_in_device_memory()) array = "logits";
  for (const side_input& input : side_inputs) {
    if (input.array.is_in_device_memory()) array = input.name;
  }
  if (array.empty()) return;
  throw error("device-memory", std::string(array),
              "it is in a device's memory, and the layer's empty_rows is \"" + std::string(name_of(layer.empty_rows)) +
                  "\", for which the processor must see it",
              "give memory of the host, or a layer whose empty_rows is \"masked\"");
}

void run_on_device(const layer_values& layer, const any_view& logits, const any_view& out,
                   std::span<const side_input> side_inputs, const call_options& options,
                   std::span<const kernel> kernels, workspace& space) {
  const kernel& one = kernels.front();
  device on(one.device(), one.variant, is_cuda(one));
  if (is_cuda(one)) {
    on.call.cuda_context = options.context != nullptr ? options.context : current_cuda_context();
    on.call.cuda_stream = options.stream;
  }
  device_workspace& kept = space.devices.find(on);
  mask_job& job = space.job;
  if (std::any_of(side_inputs.begin(), side_inputs.end(),
                  [](const side_input& one) { return one.array.is_in_device_memory(); })) {
    bind_arrays(layer, logits, side_inputs,
                job.bound);  // their axes are checked before as much as these say is fetched
  }
  const std::vector<side_input> inputs = with_numbers_on_host(on, side_inputs, kept);
  bind_all(layer, logits, out, inputs, job);
  tile_layout layout;
  const tile_plan* plan = options.plan;
  if (plan != nullptr) {
    for (const side_input& input : inputs) {
      if (input.array.is_in_device_memory()) {
        throw error("plan-differs", "plan",
                    "\"" + std::string(input.name) + "\" is in a device's memory, so the two cannot be compared",
                    "call without a plan, or give the mask in memory of the host");
      }
    }
    check_plan(*plan, layer, logits, inputs);
    // One whose tiles do not lie as the memory does is of no use.
    if (!find_layout(job, *plan, axes_of(*plan, logits.axes()), layout)) plan = nullptr;
  }
  if (logits.element_count() == 0) return;
  job.in_place = check_places(job.bound, on.has_pointers || !logits.is_in_device_memory());
  const bool has_rule = layer.empty_rows != empty_row_rule::masked;
  if (has_rule) {
    check_rule_on_device(layer, logits, inputs);
    space.empty_rows.find(layer, logits.axes(), job, plan, space.planner);
  }
  set_width(job.bound, 8, space.converted);
  run_on_device(job, *layer.type, kernels, on, kept, space.planner, space.plan, &layout, plan,
                on.call.cuda_stream == nullptr);
  if (has_rule) space.empty_rows.put_back();
}

}  // namespace

void release_device_memory() {
  if (workspace* space = borrowed_workspace::of_this_thread()) space->devices.release();
}

void apply(const layer_values& layer, const any_view& logits, const any_view& out,
           std::span<const side_input> side_inputs, const call_options& options) {
  const layer_type& type = *layer.type;
  const linked_layer* linked = find_linked_layer(type.name);
  if (linked == nullptr) {
    throw error("kernel-missing", std::string(type.name), "no kernel of this layer is linked into the program",
                "name it in AXISMASK_LAYERS of a header given to axismask_add_layers, and link that library");
  }

  check_memory("logits", logits);
  const std::span<const kernel> kernels = find_kernels(*linked, logits, out, side_inputs, options.device);
  const borrowed_workspace space;
  if (kernels.front().device != nullptr) {
    run_on_device(layer, logits, out, side_inputs, options, kernels, *space);
    return;
  }
  mask_job& job = space->job;
  bind_all(layer, logits, out, side_inputs, job);
  if (options.plan != nullptr) check_plan(*options.plan, layer, logits, side_inputs);
  if (logits.element_count() == 0) return;
  job.in_place = check_places(job.bound, true);
  const bool has_rule = layer.empty_rows != empty_row_rule::masked;
  if (has_rule) space->empty_rows.find(layer, logits.axes(), job, options.plan, space->planner);

  way way = find_way(job, logits, options, *space, type);
  const int width = width_of(job, type, way.plan);
  set_width(job.bound, width, space->converted);
  if (way.plan != nullptr && !boxes_fit(job, way.layout, *way.plan)) way.plan = nullptr;  // a copy may be wider
  job.with = &find_kernel(kernels, info(logits.type()).bytes, width);
  kernel_failure failure;
  if (way.plan != nullptr) {
    run_tiles(job, way.layout, *way.plan, options, failure);
  } else {
    run_untiled(job, options, failure);
  }
  if (failure.code != 0) {
    std::string message(failure.message.data());
    while (!message.empty() && message.back() == '\n') message.pop_back();
    throw error("kernel-failed", std::string(type.name),
                "its kernel gave code " + std::to_string(failure.code) + " (" + message + ")",
                "report this with the arrays' axes, sizes and strides: it is a mistake in axismask");
  }
  if (has_rule) space->empty_rows.put_back();
}

}  // namespace axismask
