// The pass that writes a mask by itself, without logits.
#pragma once

#include <array>
#include <cstddef>
#include <span>

#include "arrays/mask_job.hpp"
#include "axismask/call/call.hpp"
#include "axismask/plan.hpp"
#include "cpu/kernel_box.hpp"
#include "cpu/mask_lines.hpp"
#include "plan/tiled_axes.hpp"

namespace axismask {

// How the axes of a mask are used: it changes along those of the tiles, and repeats along the others.
struct mask_axes {
  tiled_axes tiles;
  bool can_be_planned = true;  // no operand changes along both rows and columns, which takes as long as the mask
  std::array<std::size_t, max_rank> repeats;
  std::size_t repeat_count = 0;

  [[nodiscard]] std::span<const std::size_t> of_repeats() const { return {repeats.data(), repeat_count}; }
};

// The axes as they serve a mask best that is to be written to the call's result: columns are innermost there.
[[nodiscard]] mask_axes find_mask_axes(const bound_call& call);
// The same along the axes of a plan that is there.
[[nodiscard]] mask_axes mask_axes_of_plan(const bound_call& call, const tile_plan& plan,
                                          std::span<const named_axis> axes);

// The size of tiles that serves best.
[[nodiscard]] tile_size best_mask_tile();

// Writes the mask to the job's result: tiles of which all or none is kept are filled, and the others are as the kernel
// tells. Without a plan the kernel tells of everything. The job has the kernel that tells what is kept; the result's
// strides and, of bits, its memory are in the units of mask_lines.
void write_mask_tiles(const mask_job& job, const mask_axes& axes, const tile_plan* plan, const mask_form& form,
                      const call_options& options, kernel_failure& failure);

}  // namespace axismask
