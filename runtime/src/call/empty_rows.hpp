// The rules for rows of which a mask keeps nothing: what they are called, ask of a layer, and mean for a softmax.
#pragma once

#include <cstddef>
#include <optional>
#include <string_view>

#include "axismask/call/call.hpp"
#include "axismask/messages/call_breach.hpp"

namespace axismask {

[[nodiscard]] constexpr std::string_view name_of(empty_row_rule rule) {
  return empty_row_rule_names[static_cast<std::size_t>(rule)];
}

// What a layer lacks for a rule, or nothing.
[[nodiscard]] std::optional<breach::sentence> breach_of(empty_row_rule rule, const layer_values& layer);

// What becomes of an empty row in a softmax over its keys, as words that follow "an empty row".
[[nodiscard]] std::string_view softmax_of_empty_row(empty_row_rule rule, const masked_value& masked_out_value);

}  // namespace axismask
