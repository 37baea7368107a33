// A call of which there are no logits.
#include "plan/planned_call.hpp"

#include <algorithm>
#include <string>

#include "arrays/bind_arrays.hpp"

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

void check_memories(std::span<const side_input> side_inputs) {
  for (const side_input& input : side_inputs) {
    if (!input.array.is_in_device_memory()) continue;
    throw error("device-memory", std::string(input.name),
                "it is in a device's memory, and plans are made by the processor", "give memory of the host");
  }
}

// Places among queries, keys and planes are numbered with 64 bits. No array need be so large: one that repeats its
// elements has any size, and so has one without elements.
void check_place_count(const layer_type& type, std::span<const named_axis> axes) {
  std::int64_t count = 1;
  for (const named_axis& axis : axes) {
    if (!__builtin_mul_overflow(count, std::max<std::int64_t>(axis.size, 1), &count)) continue;
    throw error("axis-size", std::string(type.name), "it has more queries and keys together than 64 bits can count",
                "plan fewer of them at once");
  }
}

}  // namespace

void bind_for_plan(const layer_values& layer, std::span<const side_input> side_inputs, planned_call& call) {
  check_memories(side_inputs);
  call.axes = logits_axes(layer, side_inputs);
  bind_arrays(layer, any_view(nullptr, dtype::float32, call.axes), side_inputs, call.bound);
  check_place_count(*layer.type, call.axes);
  call.tiled = {};
  call.tiled.row = call.axes.size() - 2;
  call.tiled.column = call.axes.size() - 1;
  for (std::size_t axis = 0; axis < call.tiled.row; ++axis) {
    if (call.axes[axis].size != 0 && !call.bound.changes_along(axis)) continue;
    call.tiled.planes[call.tiled.plane_count++] = axis;
  }
}

}  // namespace axismask
