// Tile plans: which tiles of the logits a layer keeps whole, in part or not at all. They are found from the positions
// by the interval reading of `keep`; no logit is read, and no dense mask is made.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "axismask/call/call.hpp"
#include "axismask/layer.hpp"

namespace axismask {

// The size of a tile, in queries and keys. Tiles at the end of an axis may be smaller.
struct tile_size {
  std::int64_t queries = 128;
  std::int64_t keys = 128;
};

// Tiles of one row, next to each other, of which the same can be said.
struct tile_run {
  std::int32_t begin;  // of its tile columns
  std::int32_t end;    // the first after them
  verdict kept;        // all, some or none of each tile
};

// The tiles of a layer for some positions. A row is one tile row of one plane: planes are the indices of those further
// axes (batch, say) along which the layer's inputs differ, in C order; there is one plane when they differ along none.
// Row `plane * rows_per_plane + row` is cut into the runs `runs[starts[r]] ... runs[starts[r + 1] - 1]`, from its first
// tile to its last. "All" and "none" are proofs; "some" may be either, rarely.
//
// A plan can be given to any number of calls of the layer with the same side inputs (call_options).
struct tile_plan {
  tile_size tile;
  std::int64_t queries = 0;
  std::int64_t keys = 0;
  std::vector<std::string> plane_axes;
  std::vector<std::int64_t> plane_sizes;
  std::int64_t planes = 1;
  std::int64_t rows_per_plane = 0;
  std::int64_t columns = 0;
  std::vector<std::int64_t> starts;  // one for each row, and the end
  std::vector<tile_run> runs;
  std::string query_axis;
  std::string kv_axis;
  std::int64_t largest = 0;       // magnitude of the numbers that the mask computes
  std::uint64_t fingerprint = 0;  // tells the layer, its numbers and its side inputs from others

  // Both throw `error` plan-index, whose WHERE is the index, for one that there is not.
  [[nodiscard]] std::span<const tile_run> row(std::int64_t plane, std::int64_t row) const;
  [[nodiscard]] verdict at(std::int64_t plane, std::int64_t row, std::int64_t column) const;
  [[nodiscard]] std::int64_t tile_count() const { return planes * rows_per_plane * columns; }
  [[nodiscard]] std::int64_t count(verdict kept) const;

  // The tiles of one verdict as FlexAttention's `BlockMask` has them (`full` are its full blocks of `all`, `partial` of
  // `some`): row r has the columns tiles[starts[r]] ... tiles[starts[r + 1] - 1], ascending.
  struct list {
    std::vector<std::int64_t> starts;
    std::vector<std::int32_t> tiles;
  };
  [[nodiscard]] list list_of(verdict kept) const;
};

// Plans a layer that has positions of queries and keys. The sizes of the axes are those of the side inputs; a tile is
// made no larger than they are. `tile` is in queries and keys, each at least 1:
//   plan(model.layer("layers.0").values(), {128, 128}, {{"token_positions", positions}})
// Throws `error`: plan-axes when a size is not known, plan-tile, and those of a call for the side inputs.
[[nodiscard]] tile_plan plan(const layer_values& layer, tile_size tile, const side_inputs& inputs);

// Plans a layer whose names are known to the compiler: `plan(local, {128, 128}, input<"token_positions">(p))`.
template <class Layer, class... Inputs>
  requires requires { typename Layer::hana_accessors_impl; }
[[nodiscard]] tile_plan plan(const Layer& layer, tile_size tile, const Inputs&... inputs) {
  check_layer<Layer>();
  return with_values(layer, [&](const layer_values& values) {
    return plan(values, tile, std::array<side_input, sizeof...(Inputs)>{side_input(inputs)...});
  });
}

}  // namespace axismask
