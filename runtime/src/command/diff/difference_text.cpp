// Says where two masks differ.
#include "command/diff/difference_text.hpp"

#include <algorithm>
#include <cstddef>
#include <iostream>
#include <limits>
#include <string_view>

#include "axismask/call/empty_row_rule.hpp"
#include "command/print.hpp"

namespace axismask::command {
namespace {

// "512"; "1 ... 530" and "1, 3 ... 1059" for numbers that change from query to query.
std::string progression(std::int64_t first, std::int64_t last, std::int64_t queries) {
  if (first == last) return std::to_string(first);
  const std::int64_t step = (last - first) / (queries - 1);
  if (queries == 2) return std::to_string(first) + " and " + std::to_string(last);
  const bool by_one = step == 1 || step == -1;
  return std::to_string(first) + (by_one ? "" : ", " + std::to_string(first + step)) + " ... " + std::to_string(last);
}

std::string run_text(const query_run& run) {
  const std::int64_t queries = run.last - run.first + 1;
  const auto number = [&](std::int64_t kept_keys::* which) {
    return progression(run.at_first.*which, run.at_last.*which, queries);
  };
  const auto sees = [&](std::int64_t kept_keys::* only) {
    return progression(run.at_first.both + run.at_first.*only, run.at_last.both + run.at_last.*only, queries);
  };
  const auto keys = [&](std::int64_t kept_keys::* only, const char* which) {
    const std::string text = number(only);
    return text == "0" ? "" : text + (text == "1" ? " key" : " keys") + " only in " + which;
  };
  const std::string in_a = keys(&kept_keys::only_a, "A");
  const std::string in_b = keys(&kept_keys::only_b, "B");
  return (queries == 1 ? "query " + std::to_string(run.first)
                       : "queries " + std::to_string(run.first) + " ... " + std::to_string(run.last)) +
         ": " + in_a + (in_a.empty() || in_b.empty() ? "" : ", ") + in_b + " (A sees " + sees(&kept_keys::only_a) +
         ", B " + sees(&kept_keys::only_b) + ")";
}

// What a formula is the `&&` of.
std::vector<std::string> conditions(std::string_view formula) {
  std::vector<std::string> parts{""};
  int depth = 0;
  for (std::size_t at = 0; at < formula.size(); ++at) {
    depth += formula[at] == '(' ? 1 : formula[at] == ')' ? -1 : 0;
    if (depth == 0 && formula.substr(at).starts_with(" || ")) return {std::string(formula)};
    if (depth == 0 && formula.substr(at).starts_with(" && ")) {
      parts.emplace_back();
      at += 3;
    } else {
      parts.back() += formula[at];
    }
  }
  return parts;
}

// The position of an element's query or key, if the layer knows positions.
std::optional<std::int64_t> position_of(attribute_kind kind, const any_layer& layer,
                                        const std::vector<std::int64_t>& operands) {
  for (std::size_t at = 0; at < operands.size(); ++at) {
    const attribute_record& attribute = layer.type().attributes[layer.type().operands[at]];
    if (attribute.kind == kind && counts_tokens(attribute)) return operands[at];
  }
  return {};
}

// "kept by B, as 512 - 0 < 513; not by A, as 512 - 0 < 512 is false". The conditions that both masks have are true for
// both, so they are left out.
std::string reason_text(const two_sides& sides, bool by_a, const std::vector<std::int64_t>& operands_of_a,
                        const std::vector<std::int64_t>& operands_of_b) {
  const any_layer& keeper = by_a ? sides.a.layer : sides.b.layer;
  const std::vector<std::int64_t>& operands = by_a ? operands_of_a : operands_of_b;
  const std::vector<std::string> of_keeper = conditions(formula_of(keeper, operands));
  const std::vector<std::string> of_other =
      conditions(formula_of(by_a ? sides.b.layer : sides.a.layer, by_a ? operands_of_b : operands_of_a));
  const auto without = [](std::vector<std::string> some, const std::vector<std::string>& others) {
    std::erase_if(some,
                  [&](const std::string& one) { return std::find(others.begin(), others.end(), one) != others.end(); });
    return joined(some, " && ");
  };
  const bool by_rule = !keeper.type().keep(operands);
  const std::string why = by_rule ? "its row sees nothing else" : without(of_keeper, of_other);
  const std::string why_not = by_rule ? joined(of_other, " && ") : without(of_other, of_keeper);
  return std::string("kept by ") + (by_a ? "A" : "B") + (why.empty() ? "" : ", as " + why) + "; not by " +
         (by_a ? "B" : "A") + ", as " + why_not + " is false";
}

std::string plane_text(const further_planes& further, std::int64_t plane) {
  return further.text(plane) + (further.axes.empty() ? "" : ", ");
}

// "first: query 512 (position 512), key 0 (position 0): ..."
std::string example_text(const two_sides& sides, const further_planes& further, const differing_example& first) {
  const differing_element& element = first.element;
  const auto described = [&](const char* thing, std::int64_t index, attribute_kind kind) {
    auto position = position_of(kind, sides.a.layer, first.operands_of_a);
    if (!position) position = position_of(kind, sides.b.layer, first.operands_of_b);
    return std::string(thing) + " " + std::to_string(index) +
           (position ? " (position " + std::to_string(*position) + ")" : "");
  };
  return "first: " + plane_text(further, first.plane) +
         described("query", element.query, attribute_kind::query_positions) + ", " +
         described("key", element.key, attribute_kind::kv_positions) + ": " +
         reason_text(sides, element.kept_by_a, first.operands_of_a, first.operands_of_b);
}

// What is known of the positions that were not compared, of which those that were are equal.
std::string elsewhere_text(const difference& found, const elsewhere& others) {
  const bool takes_positions = !found.makes_positions;
  switch (others.found) {
    case reach::all_positions:
      return others.last < std::numeric_limits<std::int64_t>::max() - 1
                 ? ", and proved equal at all positions up to " + std::to_string(others.last)
                 : ", and proved equal at all positions";
    case reach::these_inputs:
      return ", with these side inputs";
    case reach::compared_range:
      return ", and no more is known: " + others.reason +
             (takes_positions ? "; give other positions to compare them" : "; --seq N compares other positions");
    case reach::differs:
      return others.is_equal_from_0_on ? ", and at all positions from 0 on, but not where positions are negative"
                                       : ", but not at other positions";
  }
  return "";
}

// "first: a query at position 512, a key at position 0: ..."
std::string example_text(const two_sides& sides, const further_planes& further, const differing_positions& differing) {
  return (differing.is_first ? "first: " : "one of them: ") + plane_text(further, differing.plane) +
         "a query at position " + std::to_string(differing.query) + ", a key at position " +
         std::to_string(differing.key) + ": " +
         reason_text(sides, differing.kept_by_a, differing.operands_of_a, differing.operands_of_b);
}

// What becomes of rows that see nothing, if it is not that they are masked.
std::string rule_text(const any_layer& layer) {
  switch (layer.values().empty_rows) {
    case empty_row_rule::masked:
    case empty_row_rule::zeros:
      break;
    case empty_row_rule::error:
      return "; a row that sees nothing is an error, here it is compared as masked";
    case empty_row_rule::keep_self:
      return "; a row that sees nothing keeps itself";
  }
  return "";
}

// What is compared: the two masks, and the positions that were made for them.
void print_masks(const two_sides& sides, const difference& found) {
  for (const side* one : {&sides.a, &sides.b}) {
    std::cout << on_one_line(one->option + ": " + one->argument + ": " + one->layer.formula() + rule_text(one->layer))
              << '\n';
  }
  if (found.makes_positions) {
    std::cout << "positions " << found.keys - found.queries << " ... " << found.keys - 1;
    if (found.queries != found.keys) std::cout << " of queries, 0 ... " << found.keys - 1 << " of keys";
    std::cout << (found.is_of_default_size ? "; --seq N for others\n" : "\n");
  }
}

// "2 batch x 512 queries x 512 keys"
std::string size_text(const difference& found) {
  std::string size;
  for (const mask_rows::further_axis& axis : found.further.axes) {
    size += std::to_string(axis.size) + " " + axis.name + " x ";
  }
  return size + std::to_string(found.queries) + " queries x " + std::to_string(found.keys) + " keys";
}

// A line for each run of queries; planes next to each other that are alike are said once.
std::vector<std::string> run_lines(const difference& found) {
  std::vector<std::string> lines;
  for (std::int64_t plane = 0; plane < found.further.count();) {
    const std::vector<query_run>& runs = found.in_planes[static_cast<std::size_t>(plane)].runs;
    std::int64_t last = plane;  // of those that are alike
    while (last + 1 < found.further.count() && found.in_planes[static_cast<std::size_t>(last + 1)].runs == runs) ++last;
    if (!found.further.axes.empty()) {
      lines.push_back(found.further.text(plane) + (last == plane ? "" : " ... " + found.further.text(last)) +
                      (runs.empty() ? ": equal" : ":"));
    }
    for (const query_run& run : runs) lines.push_back(run_text(run));
    plane = last + 1;
  }
  return lines;
}

}  // namespace

void print_difference(const two_sides& sides, const difference& found, const elsewhere& others) {
  print_masks(sides, found);
  const std::string size = size_text(found);
  if (!found.first) {
    std::cout << on_one_line("equal on " + size + elsewhere_text(found, others)) << '\n';
    if (others.differing) std::cout << on_one_line(example_text(sides, found.further, *others.differing)) << '\n';
    return;
  }
  std::cout << on_one_line(size) << ": " << found.counts.differing() << " of " << found.elements()
            << " elements differ, in " << found.rows << " of " << found.further.count() * found.queries
            << " rows: " << found.counts.only_a << " kept only by A, " << found.counts.only_b << " only by B\n";

  const std::vector<std::string> lines = run_lines(found);
  constexpr std::size_t most_lines = 24;
  for (std::size_t line = 0; line < std::min(lines.size(), most_lines); ++line) {
    std::cout << on_one_line(lines[line]) << '\n';
  }
  if (lines.size() > most_lines) {
    std::cout << "and " << lines.size() - most_lines << " such lines more, which --json has\n";
  }
  std::cout << on_one_line(example_text(sides, found.further, *found.first)) << '\n';
}

}  // namespace axismask::command
