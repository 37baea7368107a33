// How the tiles of a plan lie in the memory of a job.
#include "plan/tile_layout.hpp"

#include <algorithm>
#include <cstdlib>

#include "arrays/bind_arrays.hpp"

namespace axismask {
namespace {

// Says what every axis that is none of the tiles' is in the layout.
void assign_other_axes(const mask_job& job, tile_layout& layout) {
  const bound_call& call = job.bound;
  std::array<std::size_t, max_rank> rest;
  std::size_t count = 0;
  for (std::size_t axis = 0; axis < call.rank; ++axis) {
    const auto planes = layout.tiles.of_planes();
    if (call.sizes[axis] == 1 || axis == layout.tiles.row || axis == layout.tiles.column ||
        std::find(planes.begin(), planes.end(), axis) != planes.end()) {
      continue;
    }
    if (call.out().strides[axis] == 1 && call.out().strides[layout.tiles.column] == call.sizes[axis]) {
      layout.cell = axis;
    } else {
      rest[count++] = axis;
    }
  }
  for (std::size_t at = 0; at < count; ++at) {
    const std::size_t axis = rest[at];
    if (layout.copies == no_axis || call.sizes[axis] > call.sizes[layout.copies]) std::swap(rest[at], layout.copies);
    if (rest[at] != no_axis) layout.others[layout.other_count++] = rest[at];
  }
  std::reverse(layout.others.begin(), layout.others.begin() + static_cast<std::ptrdiff_t>(layout.other_count));
}

}  // namespace

bool share_an_operand(const bound_call& call, std::size_t a, std::size_t b) {
  const std::span<const bound_array> operands = call.operands();
  return std::any_of(operands.begin(), operands.end(),
                     [&](const bound_array& operand) { return operand.strides[a] != 0 && operand.strides[b] != 0; });
}

std::int64_t size_along(const bound_call& call, std::size_t axis) { return axis == no_axis ? 1 : call.sizes[axis]; }

std::int64_t span_of(const mask_job& job, const tile_layout& layout, std::int64_t rows) {
  std::int64_t span = 0;
  for (const bound_array& array : std::span(job.bound.arrays).first(job.bound.array_count)) {
    std::int64_t reach = std::abs(array.byte_stride(layout.tiles.row)) * (rows - 1);
    for (const std::size_t axis : {layout.cell, layout.tiles.column}) {
      if (axis != no_axis) reach += std::abs(array.byte_stride(axis)) * (job.bound.sizes[axis] - 1);
    }
    span = std::max(span, reach);
  }
  return span;
}

bool has_dense_columns(const bound_array& array, const bound_call& call, const tile_layout& layout) {
  return (layout.cell == no_axis || array.strides[layout.cell] == 1) &&
         array.strides[layout.tiles.column] == size_along(call, layout.cell);
}

bool find_layout(const mask_job& job, tile_layout& layout) {
  const bound_call& call = job.bound;
  layout = {};
  std::array<std::size_t, max_rank> changing;
  std::size_t count = 0;
  for (std::size_t axis = 0; axis < call.rank; ++axis) {
    if (call.changes_along(axis)) changing[count++] = axis;
  }
  if (count == 0) return false;
  call.sort_innermost_first(std::span(changing).first(count));
  const std::size_t column = layout.tiles.column = changing[0];
  std::int64_t operand_elements = call.sizes[column];
  for (std::size_t at = 1; at < count; ++at) {
    if (layout.tiles.row == no_axis && !share_an_operand(call, changing[at], column)) layout.tiles.row = changing[at];
  }
  for (std::size_t at = count; at-- > 1;) {
    if (changing[at] == layout.tiles.row) continue;
    layout.tiles.planes[layout.tiles.plane_count++] = changing[at];
    operand_elements *= call.sizes[changing[at]];
  }
  // A mask that is given element by element takes as long to look through as it takes to apply.
  if (layout.tiles.row == no_axis) {
    constexpr std::int64_t worthwhile = 16;
    if (call.element_count() / operand_elements < worthwhile && count > 1) return false;
  }
  assign_other_axes(job, layout);
  return span_of(job, layout, 1) <= box_span && (job.in_place || has_dense_columns(call.out(), call, layout));
}

bool find_layout_of_plan(const mask_job& job, const tile_plan& plan, std::span<const named_axis> axes,
                         tile_layout& layout) {
  layout = {};
  layout.tiles.row = index_of_axis(axes, plan.query_axis);
  layout.tiles.column = index_of_axis(axes, plan.kv_axis);
  for (const std::string& axis : plan.plane_axes) {
    layout.tiles.planes[layout.tiles.plane_count++] = index_of_axis(axes, axis);
  }
  assign_other_axes(job, layout);
  return boxes_fit(job, layout, plan) && has_dense_columns(job.bound.out(), job.bound, layout);
}

std::size_t index_of_axis(std::span<const named_axis> axes, std::string_view name) {
  return static_cast<std::size_t>(find_axis(axes, name) - axes.data());
}

bool boxes_fit(const mask_job& job, const tile_layout& layout, const tile_plan& plan) {
  return span_of(job, layout, plan.tile.queries) <= box_span;
}

bool can_be_cut(const tile_plan& plan, tile_size tile) {
  return (plan.tile.keys % tile.keys == 0 || plan.tile.keys >= plan.keys) &&
         (plan.tile.queries % tile.queries == 0 || plan.tile.queries >= plan.queries);
}

}  // namespace axismask
