// Makes tile plans by the names of axes.
#include "axismask/plan.hpp"

#include <algorithm>
#include <limits>

#include "arrays/bind_arrays.hpp"
#include "plan/tile_planner.hpp"

namespace axismask {
namespace {

// The axes of logits that the side inputs lie on: further axes, then queries, then keys.
std::vector<named_axis> logits_axes(const layer_values& layer, std::span<const side_input> side_inputs) {
  const std::span<const attribute_record> attributes = layer.type->attributes;
  std::string_view query_axis;
  std::string_view kv_axis;
  for (std::size_t index = attributes.size(); index-- > 0;) {
    if (attributes[index].kind == attribute_kind::query_axis) query_axis = layer.attributes[index].name;
    if (attributes[index].kind == attribute_kind::kv_axis) kv_axis = layer.attributes[index].name;
  }
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
                       [kind](const attribute_record& one) { return one.kind == kind; });
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

}  // namespace

std::uint64_t fingerprint(const layer_values& layer, std::span<const side_input> side_inputs) {
  // Each number is mixed with its place, by itself: the processor works on several at once.
  std::uint64_t sum = 0;
  std::uint64_t place = 0;
  const auto add = [&](std::uint64_t value) {
    place += 0x9E3779B97F4A7C15U;
    std::uint64_t mixed = (value ^ place) * 0xD6E8FEB86659FD93U;
    mixed ^= mixed >> 32U;
    sum += mixed * mixed ^ place;
  };
  const auto add_name = [&](std::string_view name) {
    add(name.size());
    for (const char letter : name) add(static_cast<std::uint64_t>(letter));
  };
  const auto add_array = [&](const any_view& array) {
    add(array.axes().size());
    for (const named_axis& axis : array.axes()) {
      add_name(axis.name);
      add(static_cast<std::uint64_t>(axis.size));
    }
    const auto add_numbers = [&]<class Number>(const Number* data) {
      for_each_line(array.axes(), [&](std::int64_t offset, std::int64_t count, std::int64_t stride) {
        for (std::int64_t at = 0; at < count; ++at) add(static_cast<std::uint64_t>(data[offset + at * stride]));
      });
    };
    if (array.type() == dtype::int32) {
      add_numbers(static_cast<const std::int32_t*>(array.data()));
    } else if (array.type() == dtype::int64) {
      add_numbers(static_cast<const std::int64_t*>(array.data()));
    } else {
      const auto* data = static_cast<const std::uint8_t*>(array.data());
      for_each_line(array.axes(), [&](std::int64_t offset, std::int64_t count, std::int64_t stride) {
        for (std::int64_t at = 0; at < count; ++at) add(data[offset + at * stride] != 0 ? 1 : 0);
      });
    }
  };
  add_name(layer.type->name);
  for (std::size_t index = 0; index < layer.type->attributes.size(); ++index) {
    const attribute_kind kind = layer.type->attributes[index].kind;
    if (kind == attribute_kind::query_axis || kind == attribute_kind::kv_axis) add_name(layer.attributes[index].name);
  }
  for (const std::size_t index : layer.type->operands) {
    const attribute_value& value = layer.attributes[index];
    if (layer.type->attributes[index].kind == attribute_kind::parameter) {
      if (value.numbers == nullptr) {
        add(static_cast<std::uint64_t>(value.number));
      } else {
        add_array(*value.numbers);
      }
      continue;
    }
    for (const side_input& input : side_inputs) {
      if (input.name == value.name) add_array(input.array);
    }
  }
  return sum;
}

verdict tile_plan::at(std::int64_t plane, std::int64_t row, std::int64_t column) const {
  const std::span<const tile_run> of_row = this->row(plane, row);
  return std::upper_bound(of_row.begin(), of_row.end(), column,
                          [](std::int64_t wanted, const tile_run& run) { return wanted < run.end; })
      ->kept;
}

std::int64_t tile_plan::count(verdict what) const {
  std::int64_t tiles = 0;
  for (const tile_run& run : runs) tiles += run.kept == what ? run.end - run.begin : 0;
  return tiles;
}

tile_plan::list tile_plan::list_of(verdict what) const {
  list result;
  result.starts.push_back(0);
  for (std::size_t row = 0; row + 1 < starts.size(); ++row) {
    for (std::int64_t at = starts[row]; at < starts[row + 1]; ++at) {
      const tile_run& run = runs[static_cast<std::size_t>(at)];
      for (std::int32_t tile = run.begin; run.kept == what && tile < run.end; ++tile) result.tiles.push_back(tile);
    }
    result.starts.push_back(static_cast<std::int64_t>(result.tiles.size()));
  }
  return result;
}

tile_plan plan(const layer_values& layer, std::span<const side_input> side_inputs, tile_size tile) {
  if (tile.queries < 1 || tile.keys < 1) {
    throw error(
        "plan-tile", "tile",
        "a tile of " + std::to_string(tile.queries) + " queries and " + std::to_string(tile.keys) + " keys is empty",
        "give sizes of at least 1");
  }
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
  const std::int64_t columns =
      axes[tiled.column].size / std::min(tile.keys, std::max<std::int64_t>(axes[tiled.column].size, 1));
  if (columns >= std::numeric_limits<std::int32_t>::max()) {
    throw error("plan-tile", "tile",
                "tiles of " + std::to_string(tile.keys) + " keys make more than 2^31 columns of " +
                    std::to_string(axes[tiled.column].size) + " keys",
                "give larger tiles");
  }
  tile_planner().find(*layer.type, call, tiled, tile, result);
  result.fingerprint = fingerprint(layer, side_inputs);
  return result;
}

}  // namespace axismask
