// Where two masks differ, element by element. Most of it is read off their tile plans; the masks themselves are read
// only in tiles that one of them may keep in part.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

#include "mask/mask_rows.hpp"

namespace axismask {

// The keys of one query: how many both masks keep, and how many one of them only.
struct kept_keys {
  std::int64_t both = 0;
  std::int64_t only_a = 0;
  std::int64_t only_b = 0;

  [[nodiscard]] std::int64_t differing() const { return only_a + only_b; }

  kept_keys& operator+=(const kept_keys& more) {
    both += more.both;
    only_a += more.only_a;
    only_b += more.only_b;
    return *this;
  }
  friend kept_keys operator-(const kept_keys& a, const kept_keys& b) {
    return {a.both - b.both, a.only_a - b.only_a, a.only_b - b.only_b};
  }
  friend bool operator==(const kept_keys&, const kept_keys&) = default;
};

// One element that one mask keeps and the other does not.
struct differing_element {
  std::int64_t query;
  std::int64_t key;
  bool kept_by_a;
};

// Compares two masks of the same numbers of queries and keys. Calls `visit` with each query, from the first to the
// last. Gives the first element that differs: that of the lowest query, and of its keys the lowest.
std::optional<differing_element> compare_masks(const mask_rows& a, const mask_rows& b,
                                               const std::function<void(std::int64_t query, const kept_keys&)>& visit);

// How many elements compare_masks reads, of each mask: those of tiles that one of them may keep in part. At least; rows
// that see nothing may be read besides.
[[nodiscard]] std::int64_t elements_to_read(const mask_rows& a, const mask_rows& b);

// The numbers that the layer's `keep` reads for one element, in its order.
[[nodiscard]] std::vector<std::int64_t> operands_at(const mask_rows& mask, std::int64_t query, std::int64_t key);

}  // namespace axismask
