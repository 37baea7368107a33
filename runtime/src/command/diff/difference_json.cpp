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

json example_json(const two_sides& sides, const further_planes& planes, const differing_example& first) {
  return {{"at", plane_json(planes, first.plane)},
          {"query", first.element.query},
          {"key", first.element.key},
          {"kept_by", first.element.kept_by_a ? "a" : "b"},
          {"formula_of_a", formula_of(sides.a.layer, first.operands_of_a)},
          {"formula_of_b", formula_of(sides.b.layer, first.operands_of_b)}};
}

}  // namespace

void print_difference_json(const two_sides& sides, const difference& found) {
  json planes = json::array();
  for (std::int64_t plane = 0; plane < found.further.count(); ++plane) {
    planes.push_back({{"at", plane_json(found.further, plane)},
                      {"runs", runs_json(found.in_planes[static_cast<std::size_t>(plane)].runs)}});
  }
  json further = json::object();
  for (const mask_rows::further_axis& axis : found.further.axes) further[axis.name] = axis.size;
  print_json({{"a", side_json(sides.a)},
              {"b", side_json(sides.b)},
              {"equal", !found.first},
              {"further_axes", std::move(further)},
              {"queries", found.queries},
              {"keys", found.keys},
              {"hidden_numbers", found.hidden},
              {"elements", found.elements()},
              {"both", found.counts.both},
              {"only_a", found.counts.only_a},
              {"only_b", found.counts.only_b},
              {"rows", found.rows},
              {"planes", std::move(planes)},
              {"first", found.first ? example_json(sides, found.further, *found.first) : json()}});
}

}  // namespace axismask::command
