// The door to the kernels: binds a call's arrays, checks the result, and has the work done.
#include "axismask/call/call.hpp"

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

#include "arrays/bind_arrays.hpp"
#include "arrays/result_check.hpp"
#include "axismask/linked.hpp"
#include "call/call_request.hpp"
#include "call/choose_tiling.hpp"
#include "call/device_call.hpp"
#include "call/kernel_choice.hpp"
#include "call/workspace.hpp"
#include "cpu/passes.hpp"

namespace axismask {
namespace {

// Kernels compute with 32 bits where that is certain to do.
int width_of(const mask_job& job, const layer_type& type, const tile_plan* plan) {
  const std::int64_t largest = plan != nullptr ? plan->largest : largest_number(type, job.bound);
  return largest <= narrow_magnitude ? 4 : 8;
}

void apply_on_cpu(const call_request& request, std::span<const kernel> kernels, workspace& space) {
  const layer_values& layer = request.layer;
  mask_job& job = space.job;
  bind_job(layer, request.logits, request.out, request.side_inputs, job);
  if (request.options.plan != nullptr) check_plan(*request.options.plan, request);
  if (request.logits.element_count() == 0) return;
  job.in_place = is_in_place(job.bound, true);
  const bool has_rule = looks_for_rows(layer.empty_rows);
  if (has_rule) {
    space.empty_rows.find(layer, request.logits.axes(), job, request.options.plan, space.planner);
  }
  tiling_choice tiling = choose_tiling(request, space);
  const int width = width_of(job, *layer.type, tiling.plan);
  set_width(job.bound, width, space.converted);
  if (tiling.plan != nullptr && !boxes_fit(job, tiling.layout, *tiling.plan))
    tiling.plan = nullptr;  // copies are wider
  take_kernel(job, *layer.type, kernels, {operation::mask, width});
  kernel_failure failure;
  if (tiling.plan != nullptr) {
    run_tiles(job, tiling, request.options, failure);
  } else {
    run_untiled(job, request.options, failure);
  }
  check_failure(failure, *layer.type);
  if (has_rule) space.empty_rows.put_back();
}

}  // namespace

void release_device_memory() {
  if (workspace* space = borrowed_workspace::of_this_thread()) space->devices.release();
}

void apply(const layer_values& layer, const any_view& logits, const any_view& out,
           std::span<const side_input> side_inputs, const call_options& options) {
  const call_request request{layer, logits, out, side_inputs, options};
  const std::span<const kernel> kernels = find_kernels(request);
  const borrowed_workspace space;
  if (kernels.front().device != nullptr) {
    apply_on_device(request, kernels, *space);
  } else {
    apply_on_cpu(request, kernels, *space);
  }
}

}  // namespace axismask
