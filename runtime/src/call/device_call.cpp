// A call that is computed by a device.
#include "call/device_call.hpp"

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include "arrays/bind_arrays.hpp"
#include "arrays/result_check.hpp"
#include "axismask/call/empty_row_rule.hpp"
#include "call/choose_tiling.hpp"
#include "device/device_pass.hpp"
#include "device/host_copies.hpp"
#include "kernels/device_probe.hpp"

namespace axismask {
namespace {

bool any_in_device_memory(std::span<const side_input> side_inputs) {
  return std::any_of(side_inputs.begin(), side_inputs.end(),
                     [](const side_input& input) { return input.array.is_in_device_memory(); });
}

// Empty rows are found, and what is kept of them is put back, by the processor.
void check_rule(const call_request& request) {
  const empty_row_rule rule = request.layer.empty_rows;
  std::string_view array;
  if (rule == empty_row_rule::keep_self && request.logits.is_in_device_memory()) array = "logits";
  for (const side_input& input : request.side_inputs) {
    if (input.array.is_in_device_memory()) array = input.name;
  }
  if (array.empty()) return;
  throw error("device-memory", std::string(array),
              "it is in a device's memory, and the layer's empty_rows is \"" + std::string(name_of(rule)) +
                  "\", for which the processor must see it",
              "give memory of the host, or a layer whose empty_rows is \"masked\"");
}

// The caller's plan, where it is of use.
tiling_choice tiling_of_plan(const call_request& request, const mask_job& job) {
  tiling_choice given;
  if (request.options.plan == nullptr) return given;
  for (const side_input& input : request.side_inputs) {
    if (!input.array.is_in_device_memory()) continue;
    throw error("plan-differs", "plan",
                "\"" + std::string(input.name) + "\" is in a device's memory, so the two cannot be compared",
                "call without a plan, or give the mask in memory of the host");
  }
  check_plan(*request.options.plan, request);
  // One whose tiles do not lie as the memory does is of no use.
  if (find_layout_of_plan(job, *request.options.plan, request.logits.axes(), given.layout)) {
    given.plan = request.options.plan;
  }
  return given;
}

}  // namespace

void apply_on_device(const call_request& request, std::span<const kernel> kernels, workspace& space) {
  const layer_values& layer = request.layer;
  const any_view& logits = request.logits;
  const kernel& any = kernels.front();
  device on(any.device(), any.variant, is_cuda(any));
  if (is_cuda(any)) {
    on.call.cuda_context = request.options.context != nullptr ? request.options.context : current_cuda_context();
    on.call.cuda_stream = request.options.stream;
  }
  device_workspace& kept = space.devices.find(on);
  mask_job& job = space.job;
  // Their axes are checked before as much as these say is fetched.
  if (any_in_device_memory(request.side_inputs)) bind_arrays(layer, logits, request.side_inputs, job.bound);
  const std::vector<side_input> inputs = with_numbers_on_host(on, request.side_inputs, kept.numbers);
  const call_request seen{layer, logits, request.out, inputs, request.options};
  bind_job(layer, logits, request.out, inputs, job);
  const tiling_choice given = tiling_of_plan(seen, job);
  if (logits.element_count() == 0) return;
  job.in_place = is_in_place(job.bound, on.has_pointers || !logits.is_in_device_memory());
  const bool has_rule = looks_for_rows(layer.empty_rows);
  if (has_rule) {
    check_rule(seen);
    space.empty_rows.find(layer, logits.axes(), job, given.plan, space.planner);
  }
  run_on_device(job, *layer.type, {on, kernels, kept}, given, {space.planner, space.plan, space.converted});
  if (has_rule) space.empty_rows.put_back();
}

}  // namespace axismask
