// How the tiles of a plan lie in the memory of a job.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "arrays/mask_job.hpp"
#include "axismask/plan.hpp"
#include "plan/tiled_axes.hpp"

namespace axismask {

// How a job's axes are used when it is carried out by tiles.
struct tile_layout {
  tiled_axes tiles;
  std::size_t cell = no_axis;                // an axis inside the columns, along which the mask does not change
  std::size_t copies = no_axis;              // the longest of the others along which it does not
  std::array<std::size_t, max_rank> others;  // the first `other_count`: the rest of those, outermost first
  std::size_t other_count = 0;

  [[nodiscard]] std::span<const std::size_t> other_axes() const { return {others.data(), other_count}; }
};

// By which tiles a job is carried out: by none, when there is no plan.
struct tiling_choice {
  tile_layout layout;
  const tile_plan* plan = nullptr;
};

// Does some operand change along both axes?
[[nodiscard]] bool share_an_operand(const bound_call& call, std::size_t a, std::size_t b);

// A layout whose columns are the innermost axis along which the mask changes; false when there is none that tiles
// serve.
[[nodiscard]] bool find_layout(const mask_job& job, tile_layout& layout);
// The layout of a plan that is there, along the logits' axes; false when its tiles do not lie as the memory does.
[[nodiscard]] bool find_layout_of_plan(const mask_job& job, const tile_plan& plan, std::span<const named_axis> axes,
                                       tile_layout& layout);

// Where the axis of that name is among these. It must be there.
[[nodiscard]] std::size_t index_of_axis(std::span<const named_axis> axes, std::string_view name);

[[nodiscard]] std::int64_t size_along(const bound_call& call, std::size_t axis);  // 1 along `no_axis`

// How many bytes any array spans over a cell, the columns, and as many rows.
[[nodiscard]] std::int64_t span_of(const mask_job& job, const tile_layout& layout, std::int64_t rows);

// Is the memory of an array's columns one contiguous piece?
[[nodiscard]] bool has_dense_columns(const bound_array& array, const bound_call& call, const tile_layout& layout);

// Are boxes of entire rows of tiles within what a kernel can count?
[[nodiscard]] bool boxes_fit(const mask_job& job, const tile_layout& layout, const tile_plan& plan);

// Can the tiles of a plan be cut into tiles of this size?
[[nodiscard]] bool can_be_cut(const tile_plan& plan, tile_size tile);

}  // namespace axismask
