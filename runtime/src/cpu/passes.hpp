// The two ways to carry out a job on the processor: by tiles, where the mask tells of many logits at once, or untiled,
// logit by logit. The room holds what the processor does with a job that is ready: no error of a caller's is looked
// for here, and nothing of call/ or device/ may come in.
#pragma once

#include <cstdint>

#include "axismask/call/call.hpp"
#include "cpu/kernel_box.hpp"
#include "plan/tile_layout.hpp"

namespace axismask {

// For less than this of a result, one thread works alone: it takes 20 us for 1 MiB, and waking another takes 5 to 50.
inline constexpr std::int64_t parallel_bytes = std::int64_t{1} << 21;

// Runs the kernel on all logits, in boxes. Folds the job's axes.
void run_untiled(mask_job& job, const call_options& options, kernel_failure& failure);

// The size of tiles that serves the processor best in a layout.
[[nodiscard]] tile_size best_tile(const mask_job& job, const tile_layout& layout);

// Leaves alone, copies or fills runs of tiles of which all or none is kept, and runs the kernel on the others.
void run_tiles(const mask_job& job, const tiling_choice& tiling, const call_options& options, kernel_failure& failure);

}  // namespace axismask
