// Reads a formula within a zone of positions: it keeps all pairs there, none, or what is left of it decides. That is
// exact where intervals are not, since it knows the distance of query and key, and how far each is from the last
// multiple of a divisor.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "axismask/readings/interval.hpp"
#include "mask/zone.hpp"

namespace axismask {

// query * q + key * k + constant
struct position_line {
  wide query = 0;
  wide key = 0;
  wide constant = 0;

  friend bool operator==(const position_line&, const position_line&) = default;
};

// What of a zone a line runs along: one of its ranges, none for a constant, or a mixture of them.
enum class line_along : std::uint8_t { nothing, query, key, distance, mixture };
[[nodiscard]] line_along along(const position_line& line);
// The factor with which it does: of `key - query` it is -1, along the distance.
[[nodiscard]] wide slope(const position_line& line);

// The numbers that a line has in a zone, or a few more. None when they are too large to tell.
[[nodiscard]] std::optional<wide_range> range_of(const position_line& line, const zone& where);

// factor * (of mod divisor); the remainder is never negative.
struct line_remainder {
  wide factor;
  position_line of;
  wide divisor;
};

// A comparison that a zone leaves open: whether line + remainders is at least 0, or equal to 0.
struct open_comparison {
  position_line line;
  std::vector<line_remainder> remainders;
  bool is_equality = false;
  bool is_known = false;  // false: the zone's numbers saturate, or it is no sum of lines and remainders
};

struct zone_reading {
  verdict kept = verdict::none;
  // For `some`: what is left of the formula. Two formulas of which the same is left keep the same pairs.
  std::string rest;
  std::vector<open_comparison> open;
};

// The zone is closed and not empty.
[[nodiscard]] zone_reading read_in_zone(const formula_tree& formula, const zone& where);

}  // namespace axismask
