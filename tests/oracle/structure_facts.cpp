// Prints what the shipped layers that penzai has too are as trees, for structure_test.py to compare with penzai: from
// their types, and again from their names as a spec would have them.
#include <iostream>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <variant>

#include "axismask/layer_structure.hpp"
#include "axismask/layers.hpp"
#include "axismask/structure.hpp"

namespace {

using json = nlohmann::ordered_json;

json plain(const axismask::masked_value& value) { return value.number(); }
json plain(const axismask::count& value) { return value.value; }
template <class Name>
json plain(const Name&) {
  return Name::name;
}

json plain(const axismask::any_attribute& value) {
  if (const auto* masked = std::get_if<axismask::masked_value>(&value)) return masked->number();
  if (const auto* number = std::get_if<std::int64_t>(&value)) return *number;
  return std::get<std::string>(value);
}

// The facts of a layer whose type is known.
template <class Layer>
json facts_of(const Layer& layer) {
  json facts;
  facts["color"] = axismask::treescope_color(layer);
  axismask::attributes_dict(layer).for_each(
      [&](std::string_view name, const auto& value) { facts["attributes"].push_back({name, plain(value)}); });
  const auto flat = axismask::tree_flatten_with_keys(layer);
  std::apply([&](const auto&... leaf) { (facts["leaves"].push_back({leaf.first.str(), plain(leaf.second)}), ...); },
             flat.leaves);
  for (const std::string_view name : flat.structure.child_field_names()) facts["child_field_names"].push_back(name);
  for (const auto& [name, value] : flat.structure.static_fields()) facts["static_fields"].push_back({name, value});
  return facts;
}

// The same of a layer of a spec.
json facts_of(const axismask::any_layer& layer) {
  json facts;
  facts["color"] = axismask::treescope_color(layer);
  for (const auto& [name, value] : axismask::attributes_dict(layer)) {
    facts["attributes"].push_back({name, plain(value)});
  }
  const auto flat = axismask::tree_flatten_with_keys(layer);
  for (const auto& [key, leaf] : flat.leaves) facts["leaves"].push_back({key.str(), plain(leaf)});
  facts["child_field_names"] = flat.structure.child_field_names;
  for (const auto& [name, value] : flat.structure.static_fields) facts["static_fields"].push_back({name, value});
  return facts;
}

template <class Layer>
json both(const Layer& layer) {
  axismask::any_attributes fields;
  axismask::attributes_dict(layer).for_each([&](std::string_view name, const auto& value) {
    const json one = plain(value);
    if (one.is_number_integer()) {
      fields.emplace_back(name, one.get<std::int64_t>());
    } else if (one.is_number()) {
      fields.emplace_back(name, axismask::masked_value(one.get<double>()));
    } else {
      fields.emplace_back(name, one.get<std::string>());
    }
  });
  const axismask::layer_type& type = axismask::layer_type_of<Layer>;
  return {{"static", facts_of(layer)}, {"dynamic", facts_of(axismask::from_attributes(type, fields))}};
}

}  // namespace

// With arguments: the colour of each.
int main(int count, char** arguments) {
  json facts;
  for (int index = 1; index < count; ++index) {
    facts[arguments[index]] = axismask::color_from_string(arguments[index]);
  }
  if (count == 1) {
    facts["ApplyCausalAttentionMask"] = both(axismask::ApplyCausalAttentionMask<>{-1e9});
    facts["ApplyCausalSlidingWindowAttentionMask"] = both(axismask::ApplyCausalSlidingWindowAttentionMask<>{-2.5, 512});
    facts["ApplyExplicitAttentionMask"] = both(axismask::ApplyExplicitAttentionMask<>{{}, -7});
  }
  std::cout << facts.dump(2) << "\n";
}
