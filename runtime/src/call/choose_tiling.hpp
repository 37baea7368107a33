// By which tiles a call is carried out: by those of the caller's plan, by those of a plan of its own, or by none.
#pragma once

#include "call/call_request.hpp"
#include "call/workspace.hpp"
#include "plan/tile_layout.hpp"

namespace axismask {

// Throws error[plan-differs] unless the caller's plan was made for this layer, these numbers and these side inputs.
void check_plan(const tile_plan& plan, const call_request& request);

// For the processor. The workspace has the job, and takes the plan that is made.
[[nodiscard]] tiling_choice choose_tiling(const call_request& request, workspace& space);

}  // namespace axismask
