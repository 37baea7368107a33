// Do two masks keep the same at all positions? What decides it are the lines of their formulas: the plane of all
// positions is cut along them into zones in which neither mask changes, and where a mask repeats itself, one period is
// all that is read. So a window of 2^53 takes no longer than one of 4.
#pragma once

#include <cstdint>
#include <optional>

#include "mask/zone.hpp"

namespace axismask {

enum class likeness : std::uint8_t { alike, different, unknown };

struct mask_comparison {
  likeness found = likeness::unknown;
  // For `different`, a pair that one mask keeps and the other does not.
  std::optional<position_pair> differing;
  // Is it the first? Of all positions from 0 on, or else of those that are nearest to 0, it has the nearest query, and
  // of its keys the nearest.
  bool is_first = false;
  // Are they alike at all positions from 0 on?
  bool are_alike_from_0_on = false;
  // Positions from 0 to this one were compared, and negative ones from -2^60 on with those up to 2^60.
  std::int64_t last = 0;
};

// Compares two masks at all positions that 64 bits hold, but for the very last; or, where numbers that are computed
// from the largest of them saturate, at all up to 2^60. `unknown` when the formulas have other sums than of a query, a
// key and the distance between them, or need more steps than a fraction of a second has.
[[nodiscard]] mask_comparison compare_everywhere(const formula_tree& a, const formula_tree& b);

}  // namespace axismask
