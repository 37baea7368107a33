// Makes JSON of a difference of masks.
#include "command/diff/difference_json.hpp"

#include <cstddef>
#include <nlohmann/json.hpp>
#include <utility>

#include "axismask/call/empty_row_rule.hpp"
#include "command/print.hpp"

namespace axismask::command {
namespace {

json side_json(const side& one) {
  return {{"argument", one.argument},
          {"type", one.layer.type().name},
          {"formula", one.layer.formula()},
          {"empty_rows", name_of(one.layer.values().empty_rows)}};
}

// The index along each further axis.
json plane_json(const further_planes& planes, std::int64_t plane) {
  json indices = json::object();
  for (const auto& [name, index] : planes.at(plane)) indices[name] = index;
  return indices;
}

json runs_json(const std::vector<query_run>& runs) {
  json list = json::array();
  for (const query_run& run : runs) {
    const auto pair = [&](std::int64_t kept_keys::* which) {
      return json::array({run.at_first.*which, run.at_last.*which});
    };
    list.push_back({{"queries", {run.first, run.last}},
                    {"both", pair(&kept_keys::both)},
                    {"only_a", pair(&kept_keys::only_a)},
                    {"only_b", pair(&kept_keys::only_b)}});
  }
  return list;
}

json formulas_json(const two_sides& sides, const std::vector<std::int64_t>& operands_of_a,
                   const std::vector<std::int64_t>& operands_of_b) {
  return {{"formula_of_a", formula_of(sides.a.layer, operands_of_a)},
          {"formula_of_b", formula_of(sides.b.layer, operands_of_b)}};
}

json example_json(const two_sides& sides, const further_planes& planes, const differing_example& first) {
  json example{{"at", plane_json(planes, first.plane)},
               {"query", first.element.query},
               {"key", first.element.key},
               {"kept_by", first.element.kept_by_a ? "a" : "b"}};
  example.update(formulas_json(sides, first.operands_of_a, first.operands_of_b));
  return example;
}

json elsewhere_json(const two_sides& sides, const further_planes& planes, const elsewhere& others) {
  constexpr const char* names[] = {"all positions", "these side inputs", "the compared elements",
                                   "the compared elements"};  // in the enumeration's order
  json result{{"equal_on", names[static_cast<std::size_t>(others.found)]}, {"reason", others.reason}};
  if (others.differing) {
    const differing_positions& one = *others.differing;
    json example{{"at", plane_json(planes, one.plane)},
                 {"query_position", one.query},
                 {"key_position", one.key},
                 {"kept_by", one.kept_by_a ? "a" : "b"},
                 {"is_first", one.is_first}};
    example.update(formulas_json(sides, one.operands_of_a, one.operands_of_b));
    result["differing"] = std::move(example);
  }
  return result;
}

// In the enumeration's order.
constexpr const char* verdict_names[] = {"equal", "different", "equal where compared"};

}  // namespace

void print_difference_json(const two_sides& sides, const difference& found, const elsewhere& others) {
  const diff_verdict verdict = verdict_of(found, others);
  json planes = json::array();
  for (std::int64_t plane = 0; plane < found.further.count(); ++plane) {
    planes.push_back({{"at", plane_json(found.further, plane)},
                      {"runs", runs_json(found.in_planes[static_cast<std::size_t>(plane)].runs)}});
  }
  json further = json::object();
  for (const mask_rows::further_axis& axis : found.further.axes) further[axis.name] = axis.size;
  print_json({{"a", side_json(sides.a)},
              {"b", side_json(sides.b)},
              {"verdict", verdict_names[static_cast<std::size_t>(verdict)]},
              {"equal", verdict == diff_verdict::equal},
              {"further_axes", std::move(further)},
              {"queries", found.queries},
              {"keys", found.keys},
              {"elements", found.elements()},
              {"both", found.counts.both},
              {"only_a", found.counts.only_a},
              {"only_b", found.counts.only_b},
              {"rows", found.rows},
              {"planes", std::move(planes)},
              {"first", found.first ? example_json(sides, found.further, *found.first) : json()},
              {"elsewhere", found.first ? json() : elsewhere_json(sides, found.further, others)}});
}

}  // namespace axismask::command
