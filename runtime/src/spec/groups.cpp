// The groups of a spec: layers whose masks follow a pattern, some of them by the names that "masks" gives.
#include "spec/groups.hpp"

#include <cstddef>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <string_view>

#include "axismask/messages/error.hpp"
#include "axismask/messages/text.hpp"
#include "spec/json_text.hpp"
#include "spec/read_mask.hpp"
#include "spec/read_values.hpp"
#include "spec/spec_keys.hpp"

namespace axismask::spec {
namespace {

using nlohmann::json;

// As many as a group can make: more than any model has, and few enough to be held.
constexpr std::int64_t most_layers = 10000;

// One mask of a pattern, which may be the name of another.
placed_layer read_pattern_mask(const json& mask, const std::string& where, const json& masks) {
  if (!mask.is_string()) {
    if (!mask.is_object()) throw_wrong_type(where, mask, pattern_mask_wanted);
    check_group_mask(mask, where);
    return {&mask, where, {}, {}};
  }
  const auto& name = mask.get_ref<const std::string&>();
  if (const auto found = masks.find(name); found != masks.end()) {
    return {&*found, step(keys::masks.name) + step(name), {}, {}};
  }
  std::vector<std::string_view> names;
  for (const auto& item : masks.items()) names.push_back(item.key());
  throw error("spec-value", where,
              in_quotes(keys::masks.name) + " has no " + in_quotes(name) + did_you_mean(name, names).str(),
              names.empty() ? R"(give the spec "masks": {"name": {"type": ...}})"
                            : "its names are " + quoted_list(names).str());
}

// Where in a group's name the number of a layer goes.
std::size_t find_mark(const json& group, const std::string& where) {
  const std::string& name = read_text(group, where, keys::group_name);
  const std::size_t mark = name.find("{}");
  if (mark == std::string::npos || name.find("{}", mark + 1) != std::string::npos) {
    throw error("spec-value", where + step(keys::group_name.name), "it is " + in_quotes(name),
                R"(write {} once, where the layer's number in the model goes: "layers.{}")");
  }
  return mark;
}

// Of the whole spec.
void check_layer_count(std::size_t count) {
  if (count <= static_cast<std::size_t>(most_layers)) return;
  throw error("spec-value", step(keys::layers.name), "it makes more than " + std::to_string(most_layers) + " layers",
              "give at most so many");
}

// How many layers a group has; without a count as many as its pattern.
std::size_t read_layer_count(const json& group, const std::string& where) {
  const auto given = group.find(keys::count.name);
  const bool is_given = given != group.end();
  const std::string value_where = where + step((is_given ? keys::count : keys::pattern).name);
  auto count = static_cast<std::int64_t>(group[keys::pattern.name].size());
  if (is_given) {
    const attribute_record record{keys::count.name, attribute_kind::parameter, {}};
    count = read_number(*given, value_where, record, keys::count.wanted);
  }
  if (count > most_layers) {
    throw error("spec-value", value_where, "it makes " + std::to_string(count) + " layers",
                "give at most " + std::to_string(most_layers));
  }
  return static_cast<std::size_t>(count);
}

// Appends the layers of a group: its pattern, again and again until there are `count`.
void expand_group(const json& group, const std::string& where, const json& masks, std::vector<placed_layer>& layers) {
  check_keys(group, where, "a group of layers", keys::of_group);
  const std::size_t mark = find_mark(group, where);
  const json& pattern = group[keys::pattern.name];
  const std::string value_where = where + step(keys::pattern.name);
  if (!pattern.is_array()) throw_wrong_type(value_where, pattern, keys::pattern.wanted);
  if (pattern.empty()) throw_empty(value_where, keys::pattern.wanted);
  const std::size_t count = read_layer_count(group, where);
  check_layer_count(layers.size() + count);
  std::vector<placed_layer> round;
  for (std::size_t index = 0; index < pattern.size(); ++index) {
    round.push_back(read_pattern_mask(pattern[index], value_where + step(index), masks));
    round.back().entry = where;
  }
  const auto name = group[keys::group_name.name].get<std::string>();
  for (std::size_t at = 0; at < count; ++at) {
    layers.push_back(round[at % round.size()]);
    layers.back().group_name = std::string(name).replace(mark, 2, std::to_string(layers.size() - 1));
  }
}

}  // namespace

std::vector<placed_layer> expand_layers(const json& spec) {
  static const json no_masks = json::object();
  const auto found = spec.find(keys::masks.name);
  const json& masks = found == spec.end() ? no_masks : *found;
  for (const auto& [name, mask] : masks.items()) check_group_mask(mask, step(keys::masks.name) + step(name));
  std::vector<placed_layer> layers;
  const json& entries = spec[keys::layers.name];
  for (std::size_t index = 0; index < entries.size(); ++index) {
    const json& entry = entries[index];
    const std::string where = step(keys::layers.name) + step(index);
    if (entry.is_object() && entry.contains(keys::pattern.name)) {
      expand_group(entry, where, masks, layers);
    } else {
      check_layer_count(layers.size() + 1);
      layers.push_back({&entry, where, where, {}});
    }
  }
  return layers;
}

}  // namespace axismask::spec
