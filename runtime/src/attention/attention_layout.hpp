// How a call of attention is cut: into blocks of queries that a kernel takes at once, units of blocks that one thread
// works on, and, for a few queries on many keys, stretches of keys.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "attention/attention_job.hpp"
#include "plan/tiled_axes.hpp"

namespace axismask {

// At most, so that what is known of them has its place without the heap.
inline constexpr std::int64_t most_blocks = 8;  // of a unit
inline constexpr std::int64_t most_tiles = 16;  // of a chunk

struct attention_layout {
  // For a few queries, as in decoding: the kernels of rows.
  bool uses_rows = false;

  // A block has queries along `row`, the mask's query axis where it has one, and along `fold`, an axis that keys,
  // values and the mask lack.
  std::size_t row = no_axis;
  std::size_t fold = no_axis;
  std::int64_t rows = 1;  // along the axis
  std::int64_t folds = 1;
  std::int64_t block_rows = 1;  // of a block
  std::int64_t block_folds = 1;
  std::int64_t row_blocks = 1;  // how many there are
  std::int64_t fold_blocks = 1;

  std::array<std::size_t, max_rank> others{};  // the rest of the axes, the key axis apart, outermost first
  std::size_t other_axes = 0;                  // how many of these there are
  std::int64_t other_count = 1;                // of their indices
  std::int64_t blocks_per_unit = 1;
  std::int64_t units_per_other = 1;

  std::int64_t stretch = 0;  // keys of one; all keys where there is one only
  std::int64_t stretches = 1;
  std::int64_t chunk = 0;  // keys at once

  tiled_axes tiled;
  std::int64_t tile_keys = 0;

  [[nodiscard]] std::int64_t lanes() const { return block_rows * block_folds; }
  [[nodiscard]] std::int64_t unit_count() const { return other_count * units_per_other; }
  [[nodiscard]] std::int64_t blocks() const { return row_blocks * fold_blocks; }
};

[[nodiscard]] attention_layout find_layout(const attention_job& job);

}  // namespace axismask
