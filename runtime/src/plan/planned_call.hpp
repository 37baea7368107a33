// A call of which there are no logits: a layer's side inputs on the axes that logits would have.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "arrays/bound_call.hpp"
#include "axismask/plan.hpp"
#include "plan/tiled_axes.hpp"

namespace axismask {

struct planned_call {
  std::vector<named_axis> axes;  // further axes, then queries, then keys
  bound_call bound;              // the logits have no memory
  tiled_axes tiled;              // planes are the further axes along which the mask changes

  [[nodiscard]] std::int64_t queries() const { return axes[tiled.row].size; }
  [[nodiscard]] std::int64_t keys() const { return axes[tiled.column].size; }
};

// Sizes are those of the side inputs and of the layer's numbers. Throws `error`: plan-axes, and those of a call.
void bind_for_plan(const layer_values& layer, std::span<const side_input> side_inputs, planned_call& call);

// The tiles of such a call. Throws `error` plan-tile.
void find_tiles(const layer_values& layer, std::span<const side_input> side_inputs, const planned_call& call,
                tile_size tile, tile_plan& plan);

}  // namespace axismask
