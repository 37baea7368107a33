// Makes tile plans: bounds of each operand over each tile row and column, and `keep` read with them, coarse blocks
// first.
#include "axismask/plan.hpp"

#include <algorithm>
#include <cstring>
#include <limits>

#include "bind.hpp"

namespace axismask {
namespace {

// Tiles are asked about in blocks of this many rows and columns, so that far from the diagonal one answer does for
// many: a million tokens have 67 million tiles of 128 x 128.
constexpr std::int64_t block = 32;

// The axes of logits that the side inputs lie on: further axes, then queries, then keys.
std::vector<named_axis> logits_axes(const layer_values& layer, std::span<const side_input> side_inputs) {
  const std::span<const attribute_record> attributes = layer.type->attributes;
  std::string_view query_axis;
  std::string_view kv_axis;
  for (std::size_t index = attributes.size(); index-- > 0;) {
    if (attributes[index].part == role::query_axis) query_axis = layer.attributes[index].name;
    if (attributes[index].part == role::kv_axis) kv_axis = layer.attributes[index].name;
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
    if (!is_side_input(attributes[index].part)) continue;
    for (const side_input& input : side_inputs) {
      if (input.name == value.name) add(input.array, attributes[index].part == role::kv_positions);
    }
  }
  // What is missing, the binding says. What the layer does not take cannot be missing, and tells no size.
  const auto takes = [&](role part) {
    return std::any_of(attributes.begin(), attributes.end(),
                       [part](const attribute_record& one) { return one.part == part; });
  };
  for (const bool of_keys : {false, true}) {
    const named_axis& axis = of_keys ? keys : queries;
    if (axis.size < 0 && !takes(of_keys ? role::kv_positions : role::query_positions)) {
      throw error("plan-axes", std::string(layer.type->name),
                  "none of its inputs lies along \"" + std::string(axis.name) + "\", so its size is not known",
                  "plan it as part of a mask that has positions of queries and keys, with & or |");
    }
  }
  axes.push_back({queries.name, std::max<std::int64_t>(queries.size, 0), 0});
  axes.push_back({keys.name, std::max<std::int64_t>(keys.size, 0), 0});
  return axes;
}

std::int64_t read(const bound_array& array, const std::byte* at) {
  if (array.type.bits == 8) return *at != std::byte{0} ? 1 : 0;
  if (array.type.bits == 32) {
    std::int32_t value = 0;
    std::memcpy(&value, at, sizeof value);
    return value;
  }
  std::int64_t value = 0;
  std::memcpy(&value, at, sizeof value);
  return value;
}

struct bounds {
  std::int64_t lowest = std::numeric_limits<std::int64_t>::max();
  std::int64_t highest = std::numeric_limits<std::int64_t>::min();

  void include(const bounds& other) {
    lowest = std::min(lowest, other.lowest);
    highest = std::max(highest, other.highest);
  }
  [[nodiscard]] interval between() const { return {integer(lowest), integer(highest)}; }
};

// The bounds of one operand in one plane: for each tile along the axis that it varies along, and for each block of
// tiles.
struct operand_bounds {
  enum class along : std::uint8_t { nothing, queries, keys, both };

  along what = along::nothing;
  std::vector<bounds> of_tile;
  std::vector<bounds> of_block;
};

class planner {
 public:
  planner(const layer_values& layer, const bound_call& call, std::size_t query_axis, std::size_t kv_axis,
          tile_plan& plan)
      : layer_(layer),
        call_(call),
        query_axis_(query_axis),
        kv_axis_(kv_axis),
        plan_(plan),
        operands_(call.array_count - 1),
        starts_(operands_.size()) {}

  // Adds the rows of the plane whose arrays start at these offsets (in elements, an operand each).
  void add_plane(std::span<const std::int64_t> offsets) {
    for (std::size_t operand = 0; operand < operands_.size(); ++operand) measure(operand, offsets[operand]);
    std::vector<verdict> of_blocks(static_cast<std::size_t>(in_blocks(plan_.columns)));
    for (std::int64_t row = 0; row < plan_.rows_per_plane; ++row) {
      if (row % block == 0) {
        for (std::size_t column = 0; column < of_blocks.size(); ++column) {
          of_blocks[column] = ask_block(row / block, static_cast<std::int64_t>(column));
        }
      }
      for (std::int64_t first = 0; first < plan_.columns; first += block) {
        const verdict whole = of_blocks[static_cast<std::size_t>(first / block)];
        if (whole == verdict::none) continue;
        for (std::int64_t column = first; column < std::min(first + block, plan_.columns); ++column) {
          const verdict one = whole == verdict::all ? whole : ask_tile(row, column);
          if (one == verdict::none) continue;
          (one == verdict::all ? plan_.full : plan_.partial).tiles.push_back(static_cast<std::int32_t>(column));
        }
      }
      plan_.full.starts.push_back(static_cast<std::int64_t>(plan_.full.tiles.size()));
      plan_.partial.starts.push_back(static_cast<std::int64_t>(plan_.partial.tiles.size()));
    }
  }

 private:
  static std::int64_t in_blocks(std::int64_t tiles) { return (tiles + block - 1) / block; }

  void measure(std::size_t operand, std::int64_t offset) {
    const bound_array& array = call_.arrays[operand + 1];
    operand_bounds& result = operands_[operand];
    const std::byte* start = array.data + offset * array.element_bytes;
    starts_[operand] = start;
    const std::int64_t query_stride = plan_.queries > 1 ? array.strides[query_axis_] : 0;
    const std::int64_t key_stride = plan_.keys > 1 ? array.strides[kv_axis_] : 0;
    using along = operand_bounds::along;
    result.what = query_stride != 0 ? (key_stride != 0 ? along::both : along::queries)
                                    : (key_stride != 0 ? along::keys : along::nothing);
    if (result.what == along::both) return;
    const bool of_keys = result.what == along::keys;
    const std::int64_t stride = (of_keys ? key_stride : query_stride) * array.element_bytes;
    const std::int64_t count = result.what == along::nothing ? 1 : of_keys ? plan_.keys : plan_.queries;
    const std::int64_t tile = of_keys ? plan_.tile.keys : plan_.tile.queries;
    result.of_tile.clear();
    result.of_block.clear();
    for (std::int64_t first = 0; first < count; first += tile) {
      bounds found;
      for (std::int64_t at = first; at < std::min(first + tile, count); ++at) {
        const std::int64_t value = read(array, start + at * stride);
        found.include({value, value});
      }
      if (static_cast<std::int64_t>(result.of_tile.size()) % block == 0) result.of_block.emplace_back();
      result.of_block.back().include(found);
      result.of_tile.push_back(found);
    }
  }

  // The bounds of an operand that varies along both axes: its elements in these rows and columns of tiles.
  bounds scan(std::size_t operand, std::int64_t first_row, std::int64_t last_row, std::int64_t first_column,
              std::int64_t last_column) const {
    const bound_array& array = call_.arrays[operand + 1];
    bounds found;
    for (std::int64_t query = first_row * plan_.tile.queries;
         query < std::min(last_row * plan_.tile.queries, plan_.queries); ++query) {
      for (std::int64_t key = first_column * plan_.tile.keys; key < std::min(last_column * plan_.tile.keys, plan_.keys);
           ++key) {
        const std::int64_t value =
            read(array, starts_[operand] +
                            (query * array.strides[query_axis_] + key * array.strides[kv_axis_]) * array.element_bytes);
        found.include({value, value});
      }
    }
    return found;
  }

  verdict ask_tile(std::int64_t row, std::int64_t column) const {
    return ask([&](const operand_bounds& operand, std::size_t index) {
      switch (operand.what) {
        case operand_bounds::along::queries:
          return operand.of_tile[static_cast<std::size_t>(row)];
        case operand_bounds::along::keys:
          return operand.of_tile[static_cast<std::size_t>(column)];
        case operand_bounds::along::both:
          return scan(index, row, row + 1, column, column + 1);
        case operand_bounds::along::nothing:
          break;
      }
      return operand.of_tile[0];
    });
  }

  verdict ask_block(std::int64_t row, std::int64_t column) const {
    return ask([&](const operand_bounds& operand, std::size_t index) {
      switch (operand.what) {
        case operand_bounds::along::queries:
          return operand.of_block[static_cast<std::size_t>(row)];
        case operand_bounds::along::keys:
          return operand.of_block[static_cast<std::size_t>(column)];
        case operand_bounds::along::both:
          return scan(index, row * block, (row + 1) * block, column * block, (column + 1) * block);
        case operand_bounds::along::nothing:
          break;
      }
      return operand.of_tile[0];
    });
  }

  template <class Bounds>
  verdict ask(Bounds bounds_of) const {
    std::array<interval, max_operands> intervals;
    for (std::size_t operand = 0; operand < operands_.size(); ++operand) {
      intervals[operand] = bounds_of(operands_[operand], operand).between();
    }
    return layer_.type->keep_within(std::span<const interval>(intervals.data(), operands_.size()));
  }

  const layer_values& layer_;
  const bound_call& call_;
  std::size_t query_axis_;
  std::size_t kv_axis_;
  tile_plan& plan_;
  std::vector<operand_bounds> operands_;
  std::vector<const std::byte*> starts_;
};

}  // namespace

verdict tile_plan::at(std::int64_t plane, std::int64_t row, std::int64_t column) const {
  const auto at_row = static_cast<std::size_t>(plane * rows_per_plane + row);
  const auto has = [&](const tile_list& list) {
    return std::binary_search(list.tiles.begin() + list.starts[at_row], list.tiles.begin() + list.starts[at_row + 1],
                              static_cast<std::int32_t>(column));
  };
  return has(full) ? verdict::all : has(partial) ? verdict::some : verdict::none;
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
  const bound_call call = bind(layer, logits, side_inputs);

  tile_plan result;
  const std::size_t query_axis = axes.size() - 2;
  const std::size_t kv_axis = axes.size() - 1;
  result.queries = axes[query_axis].size;
  result.keys = axes[kv_axis].size;
  // A tile is no larger than the logits.
  tile.queries = std::min(tile.queries, std::max<std::int64_t>(result.queries, 1));
  tile.keys = std::min(tile.keys, std::max<std::int64_t>(result.keys, 1));
  result.tile = tile;
  result.rows_per_plane = (result.queries + tile.queries - 1) / tile.queries;
  result.columns = (result.keys + tile.keys - 1) / tile.keys;
  result.full.starts.push_back(0);
  result.partial.starts.push_back(0);

  // Planes: the further axes along which some operand changes.
  std::vector<std::size_t> plane_axes;
  for (std::size_t axis = 0; axis < query_axis; ++axis) {
    const bool varies =
        std::any_of(call.arrays.begin() + 1, call.arrays.begin() + static_cast<std::ptrdiff_t>(call.array_count),
                    [axis](const bound_array& array) { return array.strides[axis] != 0; });
    if (!varies || axes[axis].size == 1) continue;
    plane_axes.push_back(axis);
    result.plane_axes.emplace_back(axes[axis].name);
    result.plane_sizes.push_back(axes[axis].size);
    result.planes *= axes[axis].size;
  }
  planner planner(layer, call, query_axis, kv_axis, result);
  for (std::int64_t plane = 0; plane < result.planes; ++plane) {
    std::array<std::int64_t, max_arrays> offsets{};
    std::int64_t rest = plane;
    for (std::size_t at = plane_axes.size(); at-- > 0;) {
      const std::int64_t index = rest % result.plane_sizes[at];
      rest /= result.plane_sizes[at];
      for (std::size_t array = 1; array < call.array_count; ++array) {
        offsets[array - 1] += index * call.arrays[array].strides[plane_axes[at]];
      }
    }
    planner.add_plane(offsets);
  }
  return result;
}

}  // namespace axismask
