// Makes tile plans by the names of axes.
#include "axismask/plan.hpp"

#include <algorithm>
#include <limits>

#include "plan/fingerprint.hpp"
#include "plan/planned_call.hpp"
#include "plan/tile_planner.hpp"

namespace axismask {
namespace {

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

void find_tiles(const layer_values& layer, std::span<const side_input> side_inputs, const planned_call& call,
                tile_size tile, tile_plan& plan) {
  check_tile(tile);
  check_columns(tile, call.keys());
  plan.query_axis = call.axes[call.tiled.row].name;
  plan.kv_axis = call.axes[call.tiled.column].name;
  plan.plane_axes.clear();
  for (const std::size_t axis : call.tiled.of_planes()) plan.plane_axes.emplace_back(call.axes[axis].name);
  tile_planner().find(*layer.type, call.bound, call.tiled, tile, plan);
  plan.fingerprint = fingerprint(layer, side_inputs);
}

tile_plan plan(const layer_values& layer, tile_size tile, const side_inputs& inputs) {
  planned_call call;
  bind_for_plan(layer, inputs, call);
  tile_plan result;
  find_tiles(layer, inputs, call, tile, result);
  return result;
}

}  // namespace axismask
