// Tile plans: which tiles of the logits a layer keeps whole, in part or not at all. Found from the positions by the
// interval reading of `keep`, without a look at any logit and without a dense mask.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "axismask/call.hpp"
#include "axismask/layer.hpp"

namespace axismask {

// The size of a tile, in queries and keys. Tiles at the end of an axis may be smaller.
struct tile_size {
  std::int64_t queries = 128;
  std::int64_t keys = 128;
};

// The tiles of a layer for some positions. A row is one tile row of one plane: planes are the indices of those further
// axes (batch, say) along which the layer's inputs differ, in C order; there is one plane when they differ along none.
// Row `plane * rows_per_plane + row` has its tiles in `full.tiles[full.starts[r]] ... full.tiles[full.starts[r + 1] -
// 1]`, ascending, and the same for `partial`; a tile that stands in neither is masked whole. "Full" and "masked" are
// proofs, "partial" may be either, rarely.
struct tile_plan {
  struct tile_list {
    std::vector<std::int64_t> starts;  // one for each row, and the end
    std::vector<std::int32_t> tiles;   // tile columns
  };

  tile_size tile;
  std::int64_t queries = 0;
  std::int64_t keys = 0;
  std::vector<std::string> plane_axes;
  std::vector<std::int64_t> plane_sizes;
  std::int64_t planes = 1;
  std::int64_t rows_per_plane = 0;
  std::int64_t columns = 0;
  tile_list full;
  tile_list partial;

  [[nodiscard]] std::int64_t tile_count() const { return planes * rows_per_plane * columns; }
  [[nodiscard]] std::int64_t masked_count() const {
    return tile_count() - static_cast<std::int64_t>(full.tiles.size() + partial.tiles.size());
  }
  [[nodiscard]] verdict at(std::int64_t plane, std::int64_t row, std::int64_t column) const;
};

// The plan of a layer that has positions of queries and keys. The sizes of the axes are those of the side inputs; a
// tile is made no larger than they are.
// Throws `error`.
[[nodiscard]] tile_plan plan(const layer_values& layer, std::span<const side_input> side_inputs, tile_size tile = {});

// The same for a layer whose names are known to the compiler: `plan(local, {128, 128}, input<"token_positions">(p))`.
template <class Layer, class... Inputs>
  requires requires { typename Layer::hana_accessors_impl; }
[[nodiscard]] tile_plan plan(const Layer& layer, tile_size tile, const Inputs&... inputs) {
  check_layer<Layer>();
  return detail::with_values(layer, [&](const layer_values& values) {
    return plan(values,
                std::array<side_input, sizeof...(Inputs)>{side_input{Inputs::name.view(), inputs.view.erased()}...},
                tile);
  });
}

}  // namespace axismask
