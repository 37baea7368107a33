// The rules for rows of which a mask keeps nothing.
#include "call/empty_rows.hpp"

#include <cmath>

#include "axismask/empty_rows.hpp"

namespace axismask {

std::optional<breach::sentence> breach_of(empty_row_rule rule, const layer_values& layer) {
  return breach_of(rule, layer.type->attributes, [&](std::size_t index) { return layer.attributes.at(index).name; });
}

std::string_view softmax_of_empty_row(empty_row_rule rule, const masked_value& masked_out_value) {
  switch (rule) {
    case empty_row_rule::error:
      return "is refused";
    case empty_row_rule::keep_self:
      return "attends to itself";
    case empty_row_rule::masked:
      break;
  }
  // All its logits are the same: a finite number, or an infinity, whose difference with itself is no number.
  return std::isfinite(masked_out_value.number()) ? "becomes uniform, 1/n for each of n keys" : "becomes NaN";
}

}  // namespace axismask
