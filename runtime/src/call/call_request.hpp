// What `apply` was called with.
// The room holds the door: a call is checked, its kernels and tiles are chosen, and cpu/ or device/ is given the job.
// It may include every room below; only the program's own rooms stand above, and they come in by `apply`.
#pragma once

#include <span>

#include "axismask/call/call.hpp"

namespace axismask {

struct call_request {
  const layer_values& layer;
  const any_view& logits;
  const any_view& out;
  std::span<const side_input> side_inputs;
  const call_options& options;
};

}  // namespace axismask
