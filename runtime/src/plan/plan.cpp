// Makes tile plans by the names of axes.
#include "axismask/plan.hpp"

#include <algorithm>
#include <limits>

#include "arrays/bind_arrays.hpp"
#include "plan/fingerprint.hpp"
#include "plan/tile_planner.hpp"

namespace axismask {
namespace {

// The axes of logits that the side inputs lie on: further axes, then queries, then keys.
std::vector<named_axis> logits_axes(const layer_values& layer, std::span<const side_input> side_inputs) {
  const std::span<const attribute_record> attributes = layer.type->attributes;
  const auto [query_axis, kv_axis] = position_axes_of(layer);
  if (query_axis.empty() || kv_axis.empty()) {
    throw error("plan-axes", std::string(layer.type->name), "it has no query and key axes to plan along",
                "plan a layer that has positions of queries and keys");
  }
  named_axis queries{query_axis, -1, 0};
  named_axis keys{kv_axis, -1, 0};
  std::vector<named_axis> axes;
  const auto add = [&](const any_view& array, bool of_keys) {
    for (const named_axis& axis : array.axes()) {
      const std::string_view name = of_keys && axis.name == query_axis ? kv_axis : axis.name;
      if (name == query_axis || name == kv_axis) {
        named_axis& known = name == query_axis ? queries : keys;
        if (known.size < 0) known.size = axis.size;
      } else if (find_axis(axes, name) == nullptr) {
        axes.push_back({name, axis.size, 0});
      }
    }
  };
  for (std::size_t index = 0; index < attributes.size(); ++index) {
    const attribute_value& value = layer.attributes[index];
    if (value.numbers != nullptr) add(*value.numbers, false);
    if (!is_side_input(attributes[index].kind)) continue;
    for (const side_input& input : side_inputs) {
      if (input.name == value.name) add(input.array, attributes[index].kind == attribute_kind::kv_positions);
    }
  }
  // What is missing, the binding says. What the layer does not take cannot be missing, and tells no size.
  const auto takes = [&](attribute_kind kind) {
    return std::any_of(attributes.begin(), attributes.end(),
                       [kind](const attribute_record& attribute) { return attribute.kind == kind; });
  };
  for (const bool of_keys : {false, true}) {
    const named_axis& axis = of_keys ? keys : queries;
    if (axis.size < 0 && !takes(of_keys ? attribute_kind::kv_positions : attribute_kind::query_positions)) {
      throw error("plan-axes", std::string(layer.type->name),
                  "none of its inputs lies along \"" + std::string(axis.name) + "\", so its size is not known",
                  "plan it as part of a mask that has positions of queries and keys, with & or |");
    }
  }
  axes.push_back({queries.name, std::max<std::int64_t>(queries.size, 0), 0});
  axes.push_back({keys.name, std::max<std::int64_t>(keys.size, 0), 0});
  return axes;
}

void check_tile(tile_size tile) {
  if (tile.queries >= 1 && tile.keys >= 1) return;
  throw error(
      "plan-tile", "tile",
      "a tile of " + std::to_string(tile.queries) + " queries and " + std::to_string(tile.keys) + " keys is empty",
      "give sizes of at least 1");
}

void check_columns(tile_size tile, std::int64_t keys) {
  const std::int64_t columns = keys / std::min(tile.keys, std::max<std::int64_t>(keys, 1));
  if (columns < std::numeric_limits<std::int32_t>::max()) return;
  throw error("plan-tile", "tile",
              "tiles of " + std::to_string(tile.keys) + " keys make more than 2^31 columns of " + std::to_string(keys) +
                  " keys",
              "give larger tiles");
}

void check_index(const char* where, std::int64_t index, std::int64_t count) {
  if (index >= 0 && index < count) return;
  throw error("plan-index", where, "it is " + std::to_string(index) + ", and the plan has " + std::to_string(count),
              "give one that is less than that, and at least 0");
}

}  // namespace

std::span<const tile_run> tile_plan::row(std::int64_t plane, std::int64_t row) const {
  check_index("plane", plane, planes);
  check_index("row", row, rows_per_plane);
  const auto at = static_cast<std::size_t>(plane * rows_per_plane + row);
  return std::span(runs).subspan(static_cast<std::size_t>(starts[at]),
                                 static_cast<std::size_t>(starts[at + 1] - starts[at]));
}

verdict tile_plan::at(std::int64_t plane, std::int64_t row, std::int64_t column) const {
  const std::span<const tile_run> of_row = this->row(plane, row);
  check_index("column", column, columns);
  return std::upper_bound(of_row.begin(), of_row.end(), column,
                          [](std::int64_t wanted, const tile_run& run) { return wanted < run.end; })
      ->kept;
}

std::int64_t tile_plan::count(verdict kept) const {
  std::int64_t tiles = 0;
  for (const tile_run& run : runs) tiles += run.kept == kept ? run.end - run.begin : 0;
  return tiles;
}

tile_plan::list tile_plan::list_of(verdict kept) const {
  list result;
  result.starts.push_back(0);
  for (std::size_t row = 0; row + 1 < starts.size(); ++row) {
    for (std::int64_t at = starts[row]; at < starts[row + 1]; ++at) {
      const tile_run& run = runs[static_cast<std::size_t>(at)];
      for (std::int32_t tile = run.begin; run.kept == kept && tile < run.end; ++tile) result.tiles.push_back(tile);
    }
    result.starts.push_back(static_cast<std::int64_t>(result.tiles.size()));
  }
  return result;
}

tile_plan plan(const layer_values& layer, tile_size tile, const side_inputs& inputs) {
  const std::span<const side_input> side_inputs = inputs;
  check_tile(tile);
  const std::vector<named_axis> axes = logits_axes(layer, side_inputs);
  const any_view logits(nullptr, dtype::float32, axes);
  bound_call call;
  bind_arrays(layer, logits, side_inputs, call);

  tiled_axes tiled;
  tiled.row = axes.size() - 2;
  tiled.column = axes.size() - 1;
  tile_plan result;
  result.query_axis = axes[tiled.row].name;
  result.kv_axis = axes[tiled.column].name;
  // Planes: the further axes along which some operand changes.
  for (std::size_t axis = 0; axis < tiled.row; ++axis) {
    if (axes[axis].size != 0 && !call.changes_along(axis)) continue;
    tiled.planes[tiled.plane_count++] = axis;
    result.plane_axes.emplace_back(axes[axis].name);
  }
  check_columns(tile, axes[tiled.column].size);
  tile_planner().find(*layer.type, call, tiled, tile, result);
  result.fingerprint = fingerprint(layer, side_inputs);
  return result;
}

}  // namespace axismask
