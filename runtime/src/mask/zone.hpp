// Sets of pairs of positions that are bounded in the query, the key and the distance from key to query. They are what a
// mask's lines of arithmetic cut the plane of all positions into.
#pragma once

#include <algorithm>

#include "mask/formula_tree.hpp"

namespace axismask {

// All whole numbers from `low` to `high`; none when `high` is less.
struct wide_range {
  wide low;
  wide high;

  [[nodiscard]] constexpr bool is_empty() const { return high < low; }
  constexpr void cut_to(wide lowest, wide highest) {
    low = std::max(low, lowest);
    high = std::min(high, highest);
  }
  friend constexpr bool operator==(const wide_range&, const wide_range&) = default;
};

struct position_pair {
  wide query;
  wide key;
};

// The pairs (q, k) with q, k and q - k in these ranges.
struct zone {
  wide_range query;
  wide_range key;
  wide_range distance;

  // Cuts each range to what the two others leave of it. Afterwards there is a pair for each number of each range. False
  // when there is no pair at all.
  [[nodiscard]] constexpr bool close() {
    // Ranges that fit each other are cut in two rounds; those that shrink on and on hold no pair.
    for (int round = 0; round < 4; ++round) {
      const zone before = *this;
      query.cut_to(key.low + distance.low, key.high + distance.high);
      key.cut_to(query.low - distance.high, query.high - distance.low);
      distance.cut_to(query.low - key.high, query.high - key.low);
      if (query.is_empty() || key.is_empty() || distance.is_empty()) return false;
      if (query == before.query && key == before.key && distance == before.distance) return true;
    }
    return false;
  }

  // Of a closed zone the lowest query, and of its keys the lowest.
  [[nodiscard]] constexpr position_pair first() const {
    return {query.low, std::max(key.low, query.low - distance.high)};
  }
};

}  // namespace axismask
