// Compares two masks: how many elements differ, in which queries, and which is the first.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "command/diff/sides.hpp"
#include "mask/mask_difference.hpp"

namespace axismask::command {

// The further axes of both masks. One index along each is a plane; planes are counted with the last axis fastest.
struct further_planes {
  std::vector<mask_rows::further_axis> axes;

  [[nodiscard]] std::int64_t count() const;
  // The index along each axis, in a plane.
  [[nodiscard]] std::vector<std::pair<std::string, std::int64_t>> at(std::int64_t plane) const;
  // "batch 0, heads 3"
  [[nodiscard]] std::string text(std::int64_t plane) const;
};

// Queries next to each other in which both masks keep the same number of keys, or a number that grows or falls by as
// much from each to the next.
struct query_run {
  std::int64_t first;
  std::int64_t last;
  kept_keys at_first;
  kept_keys at_last;

  friend bool operator==(const query_run&, const query_run&) = default;
};

struct plane_difference {
  kept_keys counts;
  std::int64_t queries = 0;  // that differ
  std::vector<query_run> runs;
  // The numbers that decide the first element. Those that lie along neither queries nor keys are the same for all.
  std::vector<std::int64_t> operands_of_a;
  std::vector<std::int64_t> operands_of_b;
};

// An element that one mask keeps and the other does not, and the numbers that decide it.
struct differing_example {
  std::int64_t plane;
  differing_element element;
  std::vector<std::int64_t> operands_of_a;
  std::vector<std::int64_t> operands_of_b;
};

struct difference {
  bool is_of_default_size = false;
  std::int64_t queries = 0;
  std::int64_t keys = 0;
  bool makes_positions = false;
  further_planes further;
  std::vector<plane_difference> in_planes;
  kept_keys counts;
  std::int64_t rows = 0;  // that differ, in all planes
  std::optional<differing_example> first;

  [[nodiscard]] std::int64_t elements() const { return further.count() * queries * keys; }
};

// Compares the masks at every index of their further axes. Sizes that `wanted` lacks are those of the side inputs, or,
// without side inputs, large enough to show the layers' windows.
difference compare(const two_sides& sides, const mask_choice& wanted);

// The layer's formula with the numbers of an element.
std::string formula_of(const any_layer& layer, const std::vector<std::int64_t>& operands);

}  // namespace axismask::command
