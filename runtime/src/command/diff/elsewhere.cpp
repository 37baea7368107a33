// Proves masks equal at all positions, or finds where they differ.
#include "command/diff/elsewhere.hpp"

#include <algorithm>
#include <limits>
#include <set>
#include <string_view>
#include <utility>

#include "mask/mask_proof.hpp"
#include "mask/zone_reading.hpp"

namespace axismask::command {
namespace {

bool is_position(const any_layer& layer, std::size_t index) { return counts_tokens(layer.type().attributes[index]); }

// Does an operand change from query to query, or from key to key? Then it has an axis that is none of the planes'.
bool lies_along_tokens(const side& one, std::size_t index, const further_planes& further) {
  const attribute_value& value = one.layer.values().attributes[index];
  const auto has_axis = [&](const any_view& array) {
    return std::any_of(array.axes().begin(), array.axes().end(), [&](const named_axis& axis) {
      return std::none_of(further.axes.begin(), further.axes.end(),
                          [&](const mask_rows::further_axis& other) { return other.name == axis.name; });
    });
  };
  if (!is_side_input(one.layer.type().attributes[index].kind))
    return value.numbers != nullptr && has_axis(*value.numbers);
  return std::any_of(one.inputs.begin(), one.inputs.end(),
                     [&](const side_input& input) { return input.name == value.name && has_axis(input.array); });
}

// Only the user knows what they are at other tokens.
bool has_inputs_along_tokens(const side& one, const further_planes& further) {
  const auto& operands = one.layer.type().operands;
  return std::any_of(operands.begin(), operands.end(), [&](std::size_t index) {
    return !is_position(one.layer, index) && lies_along_tokens(one, index, further);
  });
}

// Positions of one kind that a call gives under two names may be two.
bool has_positions_of_two_names(const any_layer& layer) {
  std::set<std::pair<attribute_kind, std::string_view>> names;
  for (const std::size_t index : layer.type().operands) {
    if (is_position(layer, index))
      names.emplace(layer.type().attributes[index].kind, layer.values().attributes[index].name);
  }
  const auto is_of = [&](attribute_kind kind) {
    return std::count_if(names.begin(), names.end(), [kind](const auto& one) { return one.first == kind; });
  };
  return is_of(attribute_kind::query_positions) > 1 || is_of(attribute_kind::kv_positions) > 1;
}

// The layer's formula with these numbers, and with the letters of the positions.
std::string formula_of_positions(const any_layer& layer, const std::vector<std::int64_t>& operands) {
  std::vector<std::string> texts;
  for (std::size_t at = 0; at < operands.size(); ++at) {
    const std::size_t index = layer.type().operands[at];
    const attribute_kind kind = layer.type().attributes[index].kind;
    if (is_position(layer, index)) {
      texts.emplace_back(kind == attribute_kind::query_positions ? "q" : "k");
    } else if (is_boolean_operand(kind)) {
      texts.emplace_back(operands[at] != 0 ? "true" : "false");
    } else {
      texts.push_back(std::to_string(operands[at]));
    }
  }
  return layer.type().formula(texts);
}

std::vector<std::int64_t> with_positions(const any_layer& layer, std::vector<std::int64_t> operands, std::int64_t query,
                                         std::int64_t key) {
  for (std::size_t at = 0; at < operands.size(); ++at) {
    const std::size_t index = layer.type().operands[at];
    if (!is_position(layer, index)) continue;
    operands[at] = layer.type().attributes[index].kind == attribute_kind::query_positions ? query : key;
  }
  return operands;
}

// A formula is a text of the author's line. Does the line compute what the text says, at some pairs? It would not if it
// asked for the types that it is given.
bool says_what_it_keeps(const any_layer& layer, const std::vector<std::int64_t>& operands, const formula_tree& tree) {
  std::vector<std::int64_t> positions{-1, 0, 1, 5, 1000003};
  for (const std::int64_t number : operands) {
    if (number > 0 && number < std::int64_t{1} << 60)
      positions.insert(positions.end(), {number - 1, number, number + 1});
  }
  for (const std::int64_t query : positions) {
    for (const std::int64_t key : positions) {
      const zone pair{{query, query}, {key, key}, {wide{query} - key, wide{query} - key}};
      const verdict kept = read_in_zone(tree, pair).kept;
      const bool is_kept = layer.type().keep(with_positions(layer, operands, query, key));
      if (kept != verdict::some && is_kept != (kept == verdict::all)) return false;
    }
  }
  return true;
}

bool keeps_self(const any_layer& layer) { return layer.values().empty_rows == empty_row_rule::keep_self; }

const std::string rules_differ = "rows that see nothing have other rules in A than in B";
const std::string other_arithmetic = "their arithmetic is more than sums and remainders of positions and distances";

// One plane: the numbers are those of its heads, its row of a batch and so on.
elsewhere look_in_plane(const two_sides& sides, const difference& compared, std::int64_t plane) {
  const any_layer& a = sides.a.layer;
  const any_layer& b = sides.b.layer;
  const auto& [counts, queries, runs, of_a, of_b] = compared.in_planes[static_cast<std::size_t>(plane)];
  const std::optional<formula_tree> tree_of_a = read_formula(formula_of_positions(a, of_a));
  const std::optional<formula_tree> tree_of_b = read_formula(formula_of_positions(b, of_b));
  elsewhere result;
  result.reason = other_arithmetic;
  if (!tree_of_a || !tree_of_b || !says_what_it_keeps(a, of_a, *tree_of_a) ||
      !says_what_it_keeps(b, of_b, *tree_of_b)) {
    return result;
  }
  const mask_comparison found = compare_everywhere(*tree_of_a, *tree_of_b);
  result.last = found.last;
  result.is_equal_from_0_on = found.are_alike_from_0_on;
  switch (found.found) {
    case likeness::unknown:
      return result;
    case likeness::alike:
      if (keeps_self(a) == keeps_self(b)) return {reach::all_positions, "", found.last, {}, true};
      result.reason = rules_differ;
      return result;
    case likeness::different:
      break;
  }
  const position_pair differing = found.differing.value_or(position_pair{});
  const auto query = static_cast<std::int64_t>(differing.query);
  const auto key = static_cast<std::int64_t>(differing.key);
  const std::vector<std::int64_t> at_a = with_positions(a, of_a, query, key);
  const std::vector<std::int64_t> at_b = with_positions(b, of_b, query, key);
  const bool kept_by_a = a.type().keep(at_a);
  if (kept_by_a == b.type().keep(at_b)) return result;
  // A row that sees nothing may keep its own key by a rule.
  if (query == key && (keeps_self(a) || keeps_self(b))) {
    result.reason = "rows that see nothing keep their own keys, and only such keys tell the masks apart";
    return result;
  }
  result.found = reach::differs;
  result.differing = {plane, query, key, kept_by_a, found.is_first, at_a, at_b};
  return result;
}

}  // namespace

elsewhere look_elsewhere(const two_sides& sides, const difference& compared) {
  if (has_inputs_along_tokens(sides.a, compared.further) || has_inputs_along_tokens(sides.b, compared.further))
    return {reach::these_inputs, "", 0, {}, false};
  if (has_positions_of_two_names(sides.a.layer) || has_positions_of_two_names(sides.b.layer)) {
    return {reach::compared_range, "a mask has positions of two names", 0, {}, false};
  }
  elsewhere result{reach::all_positions, "", std::numeric_limits<std::int64_t>::max(), {}, true};
  std::set<std::pair<std::vector<std::int64_t>, std::vector<std::int64_t>>> known;
  for (std::int64_t plane = 0; plane < compared.further.count(); ++plane) {
    const plane_difference& numbers = compared.in_planes[static_cast<std::size_t>(plane)];
    const auto fixed = std::pair(with_positions(sides.a.layer, numbers.operands_of_a, 0, 0),
                                 with_positions(sides.b.layer, numbers.operands_of_b, 0, 0));
    if (!known.insert(fixed).second) continue;
    const elsewhere found = look_in_plane(sides, compared, plane);
    if (found.found == reach::differs) return found;
    if (found.found == reach::all_positions) {
      result.last = std::min(result.last, found.last);
    } else {
      result = found;
    }
  }
  return result;
}

diff_verdict verdict_of(const difference& compared, const elsewhere& others) {
  if (compared.first) return diff_verdict::different;
  switch (others.found) {
    case reach::all_positions:
    case reach::these_inputs:
      return diff_verdict::equal;
    case reach::differs:
      return compared.is_of_default_size ? diff_verdict::different : diff_verdict::equal_where_compared;
    case reach::compared_range:
      break;
  }
  return diff_verdict::equal_where_compared;
}

}  // namespace axismask::command
