// The tiles of a job as a device's kernels take them.
#include "device/tile_list.hpp"

#include <algorithm>
#include <cstdlib>

#include "arrays/whole_parts.hpp"
#include "axismask/arrays/index_walk.hpp"
#include "device/device.hpp"

namespace axismask {
namespace {

constexpr std::int64_t most_copies = 65535;  // blocks along the second axis of a grid, on every device

tile_work work_for(verdict kept) {
  switch (kept) {
    case verdict::none:
      return tile_work::fill;
    case verdict::all:
      return tile_work::copy;
    case verdict::some:
      break;
  }
  return tile_work::decide;
}

}  // namespace

box_axes box_axes_of(const tile_layout& layout) {
  box_axes axes;
  axes.spanned = {layout.tiles.column, layout.tiles.row, no_axis, layout.copies};
  const std::span<const std::size_t> planes = layout.tiles.of_planes();
  if (!planes.empty()) {
    axes.spanned[2] = planes.back();
    axes.outer_plane_count = planes.size() - 1;
    std::copy_n(planes.begin(), axes.outer_plane_count, axes.outer_planes.begin());
  }
  axes.other_count = layout.other_count;
  std::copy_n(layout.others.begin(), layout.other_count, axes.others.begin());
  return axes;
}

box_axes box_axes_of_folded(const bound_call& call) {
  box_axes axes;
  for (std::size_t axis = 0; axis < std::min(call.rank, kernel_rank); ++axis) axes.spanned[axis] = axis;
  // A tile stands for all copies, so that the list is short where these are many.
  if (size_along(call, axes.spanned[2]) > size_along(call, axes.spanned[3]))
    std::swap(axes.spanned[2], axes.spanned[3]);
  for (std::size_t axis = call.rank; axis-- > kernel_rank;) axes.others[axes.other_count++] = axis;
  return axes;
}

box_sizes find_box_sizes(const bound_call& call, const box_axes& axes, tile_size tile) {
  const std::span<const bound_array> arrays = std::span(call.arrays).first(call.array_count);
  box_sizes sizes;
  std::array<std::int64_t, max_arrays> span{};
  for (std::size_t at = 0; at < kernel_rank; ++at) {
    const std::size_t axis = axes.spanned[at];
    const std::int64_t all = size_along(call, axis);
    std::int64_t most = at == 3 ? std::min(all, most_copies) : all;
    const auto stride_of = [&](std::size_t array) { return std::abs(arrays[array].byte_stride(axis)); };
    for (std::size_t array = 0; array < arrays.size(); ++array) {
      const std::int64_t stride = stride_of(array);
      if (stride > 0) most = std::min(most, 1 + (memory_section::bytes - span[array]) / stride);
    }
    const std::int64_t of_tile = at == 0 ? tile.keys : at == 1 ? tile.queries : 1;
    if (most < all && most >= of_tile) most -= most % of_tile;
    for (std::size_t array = 0; array < arrays.size(); ++array) span[array] += (most - 1) * stride_of(array);
    sizes[at] = most;
  }
  return sizes;
}

template <class Visit>
void tile_list::for_each_box(const bound_call& call, Visit visit) {
  numbers_.clear();
  steps_.clear();
  const box_sizes most = find_box_sizes(call, axes_, tile_);
  index_walk<0> boxes;
  const auto none = [](std::size_t) { return std::int64_t{0}; };
  std::int64_t outer_planes = 1;
  for (const std::size_t axis : axes_.of_outer_planes()) outer_planes *= call.sizes[axis];
  boxes.add_axis(outer_planes, none);
  for (std::size_t at = kernel_rank; at-- > 0;) {
    boxes.add_axis(parts_of(size_along(call, axes_.spanned[at]), most[at]), none);
  }
  boxes.for_each([&] {
    device_step step{};
    step.outer_plane = boxes.index(0);
    for (std::size_t at = 0; at < kernel_rank; ++at) {
      step.at[at] = boxes.index(kernel_rank - at) * most[at];
      step.size[at] = std::min(most[at], size_along(call, axes_.spanned[at]) - step.at[at]);
    }
    visit(step);
  });
}

void tile_list::list_plan(const mask_job& job, const tiling_choice& tiling, tile_size tile) {
  axes_ = box_axes_of(tiling.layout);
  tile_ = tile;
  inner_planes_ = size_along(job.bound, axes_.spanned[2]);
  for_each_box(job.bound, [&](device_step& step) {
    for (const verdict kept : {verdict::none, verdict::all, verdict::some}) {
      if (kept == verdict::all && job.in_place) continue;
      begin_step(step, work_for(kept));
      add_tiles_of_plan(step, *tiling.plan, kept);
      end_step(step);
    }
  });
}

void tile_list::add_tiles_of_plan(const device_step& box, const tile_plan& plan, verdict kept) {
  const std::int64_t columns_begin = box.at[0] / tile_.keys;
  const std::int64_t columns_end = parts_of(box.at[0] + box.size[0], tile_.keys);
  // How many of the device's tiles one of the plan's has along a row.
  const std::int64_t ratio =
      plan.tile.keys >= plan.keys ? parts_of(plan.keys, tile_.keys) : plan.tile.keys / tile_.keys;
  for (std::int64_t plane = 0; plane < box.size[2]; ++plane) {
    const std::int64_t plan_plane = box.outer_plane * inner_planes_ + box.at[2] + plane;
    for (std::int64_t query = 0; query < box.size[1]; query += tile_.queries) {
      for (const tile_run& run : plan.row(plan_plane, (box.at[1] + query) / plan.tile.queries)) {
        if (run.kept != kept) continue;
        const std::int64_t end = std::min(run.end * ratio, columns_end);
        for (std::int64_t column = std::max(run.begin * ratio, columns_begin); column < end; ++column) {
          add_tile(column - columns_begin, query / tile_.queries, plane);
        }
      }
    }
  }
}

void tile_list::list_everything(const mask_job& job, tile_size tile) {
  axes_ = box_axes_of_folded(job.bound);
  tile_ = tile;
  for_each_box(job.bound, [&](device_step& step) {
    begin_step(step, tile_work::decide);
    for (std::int64_t plane = 0; plane < step.size[2]; ++plane) {
      for (std::int64_t row = 0; row * tile_.queries < step.size[1]; ++row) {
        for (std::int64_t column = 0; column * tile_.keys < step.size[0]; ++column) add_tile(column, row, plane);
      }
    }
    end_step(step);
  });
}

void tile_list::add_tile(std::int64_t column, std::int64_t row, std::int64_t plane) {
  for (const std::int64_t number : {column, row, plane}) numbers_.push_back(static_cast<std::int32_t>(number));
}

void tile_list::begin_step(device_step& step, tile_work work) const {
  step.work = work;
  step.tiles_begin = tile_count();
}

void tile_list::end_step(device_step& step) {
  step.tiles_end = tile_count();
  if (step.tiles_end > step.tiles_begin) steps_.push_back(step);
}

}  // namespace axismask
