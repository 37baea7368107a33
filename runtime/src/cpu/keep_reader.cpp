// What a mask keeps of a part of it, as bytes.
#include "cpu/keep_reader.hpp"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <span>

namespace axismask {
namespace {

// A job like it whose kernel writes there.
mask_job writing_to(const mask_job& job, const bound_array& kept) {
  mask_job result = job;
  result.bound.arrays[0] = kept;
  return result;
}

// The axes of boxes, innermost first. Without rows a box has columns only.
std::array<std::size_t, 2> axes_of_boxes(const tiled_axes& axes) { return {axes.column, axes.row}; }

}  // namespace

mask_box fitting_box(const bound_call& call, const tiled_axes& axes, mask_box wanted) {
  for (const bound_array& operand : call.operands()) {
    const std::int64_t along_row = std::abs(operand.byte_stride(axes.column));
    if (along_row > 0) wanted.columns = std::min(wanted.columns, 1 + box_span / 2 / along_row);
    const std::int64_t along_column = std::abs(operand.byte_stride(axes.row));
    if (along_column > 0) wanted.rows = std::min(wanted.rows, 1 + box_span / 2 / along_column);
  }
  return wanted;
}

bound_array bytes_in_rows(const tiled_axes& axes, std::uint8_t* memory, std::int64_t columns) {
  bound_array kept{};
  kept.type = dtype::boolean;
  kept.data = reinterpret_cast<std::byte*>(memory);
  kept.strides[axes.column] = 1;
  if (axes.row != no_axis) kept.strides[axes.row] = columns;
  return kept;
}

keep_reader::keep_reader(const mask_job& job, const tiled_axes& axes, const bound_array& kept)
    : job_(writing_to(job, kept)),
      has_rows_(axes.row != no_axis),
      box_(job_, std::span<const std::size_t>(axes_of_boxes(axes)).first(has_rows_ ? 2 : 1)) {}

void keep_reader::read(const array_offsets& start, const mask_box& box, kernel_failure& failure) {
  std::array<std::int32_t, kernel_rank> sizes;
  sizes.fill(1);
  sizes[0] = static_cast<std::int32_t>(box.columns);
  if (has_rows_) sizes[1] = static_cast<std::int32_t>(box.rows);
  box_.run(start, sizes, failure);
}

}  // namespace axismask
