// The tiles of a job as a device's kernels take them: one list of all, and the calls that each do one thing with a
// stretch of it.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "arrays/mask_job.hpp"
#include "axismask/kernel/kernel.hpp"
#include "plan/tile_layout.hpp"

namespace axismask {

// How a job's axes are used on a device: boxes span the first four, which are the column, the row, the last plane axis
// and the copies, or none. Boxes start at each index of the outer planes, and again at each of the others.
struct box_axes {
  std::array<std::size_t, kernel_rank> spanned{no_axis, no_axis, no_axis, no_axis};
  std::array<std::size_t, max_rank> outer_planes;  // the first `outer_plane_count`, outermost first
  std::size_t outer_plane_count = 0;
  std::array<std::size_t, max_rank> others;  // the first `other_count`, outermost first
  std::size_t other_count = 0;

  [[nodiscard]] std::span<const std::size_t> of_outer_planes() const {
    return {outer_planes.data(), outer_plane_count};
  }
  [[nodiscard]] std::span<const std::size_t> of_others() const { return {others.data(), other_count}; }
};
[[nodiscard]] box_axes box_axes_of(const tile_layout& layout);
[[nodiscard]] box_axes box_axes_of_folded(const bound_call& call);  // whose axes are folded (fold_axes)

// What a box spans along each of its axes: no more of any array's memory than a kernel can count, and entire tiles
// where one fits.
using box_sizes = std::array<std::int64_t, kernel_rank>;
[[nodiscard]] box_sizes find_box_sizes(const bound_call& call, const box_axes& axes, tile_size tile);

// One call of a kernel: a stretch of the list of tiles, at the start of a box.
struct device_step {
  tile_work work;
  std::int64_t tiles_begin;
  std::int64_t tiles_end;
  box_sizes at;    // where the box starts along its axes
  box_sizes size;  // and what it spans
  std::int64_t outer_plane;
};

// Keeps its memory from job to job.
class tile_list {
 public:
  // By the tiles of a plan, whose own can be cut into those of the device (can_be_cut).
  void list_plan(const mask_job& job, const tiling_choice& tiling, tile_size tile);
  // Everything, to be decided element by element. The job's axes are folded.
  void list_everything(const mask_job& job, tile_size tile);

  [[nodiscard]] const box_axes& axes() const { return axes_; }
  [[nodiscard]] std::span<const device_step> steps() const { return steps_; }
  [[nodiscard]] std::span<const std::int32_t> numbers() const { return numbers_; }  // column, row, plane of each tile

  static constexpr std::int64_t numbers_per_tile = 3;

 private:
  template <class Visit>
  void for_each_box(const bound_call& call, Visit visit);
  void add_tiles_of_plan(const device_step& box, const tile_plan& plan, verdict kept);
  void add_tile(std::int64_t column, std::int64_t row, std::int64_t plane);
  [[nodiscard]] std::int64_t tile_count() const {
    return static_cast<std::int64_t>(numbers_.size()) / numbers_per_tile;
  }
  void begin_step(device_step& step, tile_work work) const;
  void end_step(device_step& step);

  box_axes axes_;
  tile_size tile_;
  std::int64_t inner_planes_ = 1;  // along the plane axis that boxes span
  std::vector<std::int32_t> numbers_;
  std::vector<device_step> steps_;
};

}  // namespace axismask
