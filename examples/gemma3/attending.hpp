// The second part of the demo: the layers attend.
#pragma once

#include <cstdint>

#include "axismask/array.hpp"
#include "axismask/model.hpp"

namespace gemma3 {

using positions_array = axismask::named_array<std::int32_t, axismask::axes<"batch", "seq">>;

// Attends with every layer to keys and values of a real shape, and compares some rows of each result with a reference
// in double. Prints a table. Gives how many layers are farther from it than float32 explains.
std::int64_t attend_with_all(const axismask::Model& model, const positions_array& positions);

}  // namespace gemma3
