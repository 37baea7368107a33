// By which tiles a call is carried out.
#include "call/choose_tiling.hpp"

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "arrays/bind_arrays.hpp"
#include "cpu/passes.hpp"
#include "plan/fingerprint.hpp"

namespace axismask {
namespace {

// Below, looking for tiles costs more than the logits that they save.
constexpr std::int64_t tiled_bytes = std::int64_t{1} << 15;

}  // namespace

void check_plan(const tile_plan& plan, const call_request& request) {
  const auto has = [&](std::string_view name, std::int64_t size) {
    const named_axis* axis = find_axis(request.logits.axes(), name);
    return axis != nullptr && axis->size == size;
  };
  bool same = fingerprint(request.layer, request.side_inputs) == plan.fingerprint &&
              has(plan.query_axis, plan.queries) && has(plan.kv_axis, plan.keys) &&
              plan.plane_axes.size() == plan.plane_sizes.size();
  for (std::size_t axis = 0; same && axis < plan.plane_axes.size(); ++axis) {
    same = has(plan.plane_axes[axis], plan.plane_sizes[axis]);
  }
  if (!same) {
    throw error("plan-differs", "plan", "it was made for another layer, other numbers or other side inputs",
                "make a plan of this layer with these side inputs, or call without one");
  }
}

tiling_choice choose_tiling(const call_request& request, workspace& space) {
  tiling_choice choice;
  const mask_job& job = space.job;
  const tile_plan* given = request.options.plan;
  if (given != nullptr && find_layout_of_plan(job, *given, request.logits.axes(), choice.layout)) {
    choice.plan = given;
  } else if (request.logits.element_count() * job.bound.logits().element_bytes >= tiled_bytes &&
             find_layout(job, choice.layout)) {
    space.planner.find(*request.layer.type, job.bound, choice.layout.tiles, best_tile(job, choice.layout), space.plan);
    choice.plan = &space.plan;
  }
  return choice;
}

}  // namespace axismask
