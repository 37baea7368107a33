// How a call of attention is cut.
#include "attention/attention_layout.hpp"

#include <algorithm>

#include "arrays/whole_parts.hpp"
#include "axismask/messages/text.hpp"
#include "plan/tile_layout.hpp"

namespace axismask {
namespace {

// Do keys and values lack the axis, so that all its queries see the same ones?
bool is_shared(const attention_job& job, std::size_t axis) {
  return job.keys.strides.at(axis) == 0 && job.values.strides.at(axis) == 0;
}

// The longest axis of those that `fits` lets through.
template <class Fits>
std::size_t longest(const attention_job& job, Fits fits) {
  std::size_t found = no_axis;
  for (std::size_t axis = 0; axis < job.key_axis(); ++axis) {
    if (job.axes[axis].size == 1 || !fits(axis)) continue;
    if (found == no_axis || job.axes[axis].size > job.axes[found].size) found = axis;
  }
  return found;
}

// Keys and values of a chunk stay in the nearest caches.
std::int64_t chunk_of(const attention_job& job) {
  const std::int64_t bytes = std::max(job.projection, job.value_projection) * 4;
  const std::int64_t fitting = (std::int64_t{1} << 15) / bytes;
  std::int64_t chunk = 64;
  while (chunk < 256 && chunk * 2 <= fitting) chunk *= 2;
  return chunk;
}

void cut_keys(const attention_job& job, attention_layout& layout) {
  // Few units, and so threads without work: keys are cut. By the sizes alone, so that the threads change no result.
  constexpr std::int64_t enough = 32;
  constexpr std::int64_t least = 1024;
  const std::int64_t keys = job.keys_count();
  layout.stretch = std::max<std::int64_t>(keys, 1);
  if (layout.unit_count() >= enough || keys < 2 * least) return;
  const std::int64_t wanted = std::min(parts_of(enough, layout.unit_count()), keys / least);
  layout.stretch = made_up(parts_of(keys, wanted), layout.chunk);
  layout.stretches = parts_of(keys, layout.stretch);
}

}  // namespace

attention_layout find_layout(const attention_job& job) {
  attention_layout layout;
  const bound_call& mask = job.mask.bound;
  const auto changes = [&](std::size_t axis) { return mask.changes_along(axis); };
  // The query axis is the one along which the mask changes while keys and values do not: the longest, if there are
  // several. Without such a one any that keys and values lack will do.
  layout.row = longest(job, [&](std::size_t axis) {
    return is_shared(job, axis) && changes(axis) && !share_an_operand(mask, axis, job.key_axis());
  });
  if (layout.row == no_axis)
    layout.row = longest(job, [&](std::size_t axis) { return is_shared(job, axis) && changes(axis); });
  if (layout.row == no_axis) layout.row = longest(job, [&](std::size_t axis) { return is_shared(job, axis); });
  layout.fold =
      longest(job, [&](std::size_t axis) { return axis != layout.row && is_shared(job, axis) && !changes(axis); });
  layout.rows = layout.row == no_axis ? 1 : job.axes[layout.row].size;
  layout.folds = layout.fold == no_axis ? 1 : job.axes[layout.fold].size;

  const std::int64_t block = job.kernels->block;
  layout.uses_rows = layout.rows * layout.folds <= std::max<std::int64_t>(block / 2, attention::rows);
  if (layout.uses_rows) {
    layout.block_rows = layout.rows;
    layout.block_folds = layout.folds;
  } else {
    layout.block_rows = std::min(layout.rows, block);
    layout.block_folds = std::min(layout.folds, block / layout.block_rows);
  }
  layout.row_blocks = parts_of(layout.rows, layout.block_rows);
  layout.fold_blocks = parts_of(layout.folds, layout.block_folds);
  layout.chunk = chunk_of(job);
  layout.tile_keys = layout.uses_rows ? 64 : 16;

  layout.tiled.row = layout.row;
  layout.tiled.column = job.key_axis();
  for (std::size_t axis = 0; axis < job.key_axis(); ++axis) {
    if (axis == layout.row || axis == layout.fold) continue;
    layout.others[layout.other_axes++] = axis;
    layout.other_count *= job.axes[axis].size;
    if (changes(axis)) layout.tiled.planes[layout.tiled.plane_count++] = axis;
  }
  layout.blocks_per_unit = std::min(layout.blocks(), most_blocks);
  layout.units_per_other = parts_of(layout.blocks(), layout.blocks_per_unit);
  cut_keys(job, layout);
  return layout;
}

}  // namespace axismask
