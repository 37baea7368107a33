// Tells what a plan was made of from everything else.
#pragma once

#include <cstdint>
#include <span>

#include "axismask/call/call.hpp"

namespace axismask {

// A number that differs, but for a chance of 1 in 2^64, for layers, numbers and side inputs that differ. The arrays
// must have been checked (bind_arrays).
[[nodiscard]] std::uint64_t fingerprint(const layer_values& layer, std::span<const side_input> side_inputs);

}  // namespace axismask
