// The attributes of a spec's masks: those of one type, or those of the parts of a composition one after the other.
#include "spec/read_mask.hpp"

#include <algorithm>
#include <cstddef>
#include <nlohmann/json.hpp>
#include <span>
#include <utility>
#include <vector>

#include "axismask/call/attribute_rules.hpp"
#include "axismask/messages/error.hpp"
#include "spec/json_text.hpp"
#include "spec/read_attention.hpp"
#include "spec/read_values.hpp"
#include "spec/spec_keys.hpp"

namespace axismask::spec {
namespace {

using nlohmann::json;

// A mask whose attributes are those from `begin` to `end` of its layer.
struct placed_mask {
  const mask_shape* shape;
  std::size_t begin;
  std::size_t end;
};

// The logits have a query axis and a key axis, so these are two.
void check_axes_differ(const placed_mask& mask, const layer_values& layer) {
  const std::optional<axis_clash> clash = clash_of_axes(layer, mask.begin, mask.end);
  if (!clash) return;
  const attribute_record* query = &layer.type->attributes[clash->first];
  const attribute_record* kv = &layer.type->attributes[clash->second];
  if (query->kind != attribute_kind::query_axis) std::swap(query, kv);
  const bool is_given = mask.shape->object->contains(kv->name);
  throw error(
      "spec-value", mask.shape->where + step((is_given ? kv : query)->name),
      "queries and keys have the same axis " + in_quotes(layer.attributes.at(clash->first).name),
      "give " + in_quotes(query->name) + " and " + in_quotes(kv->name) + " the names of two axes of the logits");
}

// How many queries and keys there are, each call says; a spec's list of numbers has one length.
void check_axes_of_numbers(const placed_mask& mask, const layer_values& layer) {
  for (std::size_t index = mask.begin; index < mask.end; ++index) {
    const any_view* numbers = layer.attributes.at(index).numbers;
    if (numbers == nullptr) continue;
    const std::string_view axis = numbers->axes()[0].name;
    for (std::size_t other = mask.begin; other < mask.end; ++other) {
      const attribute_record& record = layer.type->attributes[other];
      if (!is_axis_name(record.kind) || layer.attributes.at(other).name != axis) continue;
      throw error("spec-value", mask.shape->where + step(layer.type->attributes[index].name) + step(keys::axis.name),
                  "it is " + in_quotes(axis) + ", the layer's " + in_quotes(record.name) +
                      ", which is as long as each call has it",
                  R"(name an axis whose length stays, such as "heads", or give one number)");
    }
  }
}

// The parts of a composed layer lie on the same axes.
void check_axes_of_parts(std::span<const placed_mask> masks, const layer_values& layer) {
  const std::optional<axis_clash> clash = clash_of_axes(layer, 0, layer.type->attributes.size());
  if (!clash) return;
  const auto mask_of = [&](std::size_t attribute) -> const mask_shape& {
    return *std::find_if(masks.begin(), masks.end(), [&](const placed_mask& mask) {
              return attribute < mask.end;
            })->shape;
  };
  const std::string_view name = layer.type->attributes[clash->second].name;
  const mask_shape& mask = mask_of(clash->second);
  const bool is_given = mask.object->contains(name);
  throw error("spec-value", mask.where + (is_given ? step(name) : ""),
              "its " + in_quotes(name) + " is " + in_quotes(layer.attributes.at(clash->second).name) +
                  ", and that of " + mask_of(clash->first).where + " is " +
                  in_quotes(layer.attributes.at(clash->first).name),
              "give all parts of a layer the same axes");
}

// The keys of a mask that is not composed.
void check_mask_keys(const placed_mask& mask, const layer_type& layer, mask_role role) {
  const json& object = *mask.shape->object;
  std::vector<allowed_key> allowed;
  switch (role) {
    case mask_role::layer:
      allowed.emplace_back(keys::name);
      break;
    case mask_role::group:
      break;
    case mask_role::part:
      for (const attribute_record& attribute : mask.shape->type->attributes) {
        if (attribute.kind == attribute_kind::masked_value) {
          check_no_layer_keys(object, mask.shape->where, attribute.name);
        }
      }
      break;
  }
  allowed.emplace_back(keys::type);
  for (std::size_t index = mask.begin; index < mask.end; ++index) allowed.emplace_back(layer.attributes[index]);
  if (role != mask_role::part) allowed.insert(allowed.end(), {keys::empty_rows, keys::attention});
  check_keys(object, mask.shape->where, std::string(mask.shape->type->name), allowed);
}

// The attributes of a layer of one type, or of a part of a composed layer.
void read_attributes(const placed_mask& mask, mask_role role, layer_contents& read) {
  const json& object = *mask.shape->object;
  const std::string& where = mask.shape->where;
  const std::span<const attribute_record> attributes = read.values.type->attributes;
  check_mask_keys(mask, *read.values.type, role);
  if (role == mask_role::layer) read.name = read_text(object, where, keys::name);
  for (std::size_t index = mask.begin; index < mask.end; ++index) {
    const attribute_record& attribute = attributes[index];
    attribute_value& value = read.values.attributes.at(index);
    value.name = attribute.default_name;
    if (const auto found = object.find(attribute.name); found != object.end()) {
      read_attribute(*found, where + step(attribute.name), attribute, read.values, value, read.memory.at(index));
    }
  }
  check_axes_differ(mask, read.values);
  check_axes_of_numbers(mask, read.values);
}

// A composition has the masked value, and then its masks' other attributes.
std::vector<placed_mask> place_masks(const mask_shape& shape) {
  std::vector<placed_mask> masks;
  std::size_t next = 1;
  for (const mask_shape* mask : plain_masks(shape)) {
    const std::size_t begin = next;
    for (const attribute_record& attribute : mask->type->attributes) {
      if (attribute.kind != attribute_kind::masked_value) ++next;
    }
    masks.push_back({mask, begin, next});
  }
  return masks;
}

}  // namespace

void read_layer(const mask_shape& shape, mask_role role, layer_contents& read) {
  const json& object = *shape.object;
  if (shape.how == composition::none) {
    read_attributes({&shape, 0, read.values.type->attributes.size()}, role, read);
  } else {
    if (role == mask_role::layer) read.name = read_text(object, shape.where, keys::name);
    constexpr std::string_view masked = keys::masked_out_value.name;
    read.values.masked_out_value = read_masked_value(object[masked], shape.where + step(masked));
    const std::vector<placed_mask> masks = place_masks(shape);
    for (const placed_mask& mask : masks) read_attributes(mask, mask_role::part, read);
    check_axes_of_parts(masks, read.values);
  }
  read_empty_rows(object, shape.where, read.values);
  read_attention(object, shape.where, read);
}

void check_group_mask(const json& mask, const std::string& where) {
  if (!mask.is_object()) throw_wrong_type(where, mask, part_wanted);
  if (mask.contains(keys::name.name)) {
    throw error("spec-unknown-key", where + step(keys::name.name),
                in_quotes(keys::name.name) + " belongs to the layers that have this mask", "leave it out here");
  }
  const mask_shape shape = read_shape(mask, where, mask_role::group);
  layer_contents contents(find_type(shape));
  read_layer(shape, mask_role::group, contents);
}

}  // namespace axismask::spec
