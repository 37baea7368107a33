// The two ways to carry out a job: by tiles, where the mask tells of many logits at once, or whole, logit by logit.
#pragma once

#include "axismask/call/call.hpp"
#include "cpu/kernel_box.hpp"
#include "plan/tile_planner.hpp"

namespace axismask {

// For less than this of a result, one thread works alone: it takes 20 us for 1 MiB, and waking another takes 5 to 50.
inline constexpr std::int64_t parallel_bytes = std::int64_t{1} << 21;

// Makes a call small in axes: drops those of size 1, turns the result's strides positive, sorts its axes from the
// innermost out, and folds two axes into one where every array allows it.
void fold_axes(bound_call& call);

// Runs the kernel on all logits, in boxes. Folds the job's axes.
void run_untiled(mask_job& job, const call_options& options, kernel_failure& failure);

// How a job's axes are used when it is carried out by tiles.
struct tile_layout {
  tiled_axes tiles;
  std::size_t cell = no_axis;                // an axis inside the columns, along which the mask does not change
  std::size_t copies = no_axis;              // the longest of the others along which it does not
  std::array<std::size_t, max_rank> others;  // and the first `other_count`: the rest of those
  std::size_t other_count = 0;
};

// A layout whose columns are the innermost axis along which the mask changes; false when there is none that tiles
// serve.
[[nodiscard]] bool find_layout(const mask_job& job, tile_layout& layout);
// The layout for a plan that is there; false when its tiles do not lie as the memory does.
[[nodiscard]] bool find_layout(const mask_job& job, const tile_plan& plan, const tiled_axes& tiles,
                               tile_layout& layout);

// The size of tiles that serves a layout best.
[[nodiscard]] tile_size best_tile(const mask_job& job, const tile_layout& layout);

// Are boxes of whole rows of tiles within what a kernel can count?
[[nodiscard]] bool boxes_fit(const mask_job& job, const tile_layout& layout, const tile_plan& plan);

// Leaves alone, copies or fills whole runs of tiles, and runs the kernel on the others.
void run_tiles(const mask_job& job, const tile_layout& layout, const tile_plan& plan, const call_options& options,
               kernel_failure& failure);

}  // namespace axismask
