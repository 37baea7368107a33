// The rules for rows of which a mask keeps nothing: what they are called, what they ask of a layer, and what a softmax
// makes of such a row.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string_view>

#include "axismask/call/call.hpp"
#include "axismask/call/call_breach.hpp"
#include "axismask/layer/layer_type.hpp"

namespace axismask {

// As it stands in a spec.
[[nodiscard]] constexpr std::string_view name_of(empty_row_rule rule) {
  return empty_row_rule_names[static_cast<std::size_t>(rule)];
}

// What a layer lacks for a rule, or nothing. `name_at` gives the name of a side input: that of the attribute at an
// index.
template <class NameAt>
[[nodiscard]] constexpr std::optional<breach::sentence> breach_of(empty_row_rule rule,
                                                                  std::span<const attribute_record> attributes,
                                                                  NameAt name_at) {
  if (rule == empty_row_rule::masked) return {};
  bool has_keys = false;
  for (const attribute_record& attribute : attributes) {
    has_keys = has_keys || attribute.kind == attribute_kind::kv_axis;
  }
  if (!has_keys) return breach::no_rows(name_of(rule));
  if (rule == empty_row_rule::error || rule == empty_row_rule::zeros) return {};
  for (const attribute_kind kind : {attribute_kind::query_positions, attribute_kind::kv_positions}) {
    std::optional<std::string_view> first;
    for (std::size_t index = 0; index < attributes.size(); ++index) {
      if (attributes[index].kind != kind || attributes[index].are_ids) continue;
      const std::string_view name = name_at(index);
      if (first && *first != name) return breach::several_positions(*first, name);
      first = name;
    }
    if (!first) return breach::no_positions_of_both();
  }
  return {};
}

// The same for a layer whose names are known at run time only.
[[nodiscard]] inline std::optional<breach::sentence> breach_of(empty_row_rule rule, const layer_values& layer) {
  return breach_of(rule, layer.type->attributes, [&](std::size_t index) { return layer.attributes.at(index).name; });
}

// What becomes of an empty row in a softmax over its keys, as words that follow "an empty row".
[[nodiscard]] inline std::string_view softmax_of_empty_row(empty_row_rule rule, const masked_value& masked_out_value) {
  switch (rule) {
    case empty_row_rule::error:
      return "is refused";
    case empty_row_rule::keep_self:
      return "attends to itself";
    case empty_row_rule::zeros:
      return "attends to nothing";
    case empty_row_rule::masked:
      break;
  }
  // All its logits are the same: a finite number, or an infinity, whose difference with itself is no number.
  const double value = masked_out_value.number();
  return value - value == 0 ? "becomes uniform, 1/n for each of n keys" : "becomes NaN";
}

}  // namespace axismask
