// What can be said of two masks at the positions that were not compared element by element.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "command/diff/compare.hpp"

namespace axismask::command {

enum class reach : std::uint8_t {
  all_positions,   // the masks are proved to be equal at all positions
  these_inputs,    // side inputs that only the user knows were given for each query or key; all of them were compared
  compared_range,  // nothing is known of other positions
  differs,         // the masks are known to differ elsewhere
};

// A pair of positions that one mask keeps and the other does not.
struct differing_positions {
  std::int64_t plane;
  std::int64_t query;
  std::int64_t key;
  bool kept_by_a;
  bool is_first;  // else there may be others before it
  std::vector<std::int64_t> operands_of_a;
  std::vector<std::int64_t> operands_of_b;
};

struct elsewhere {
  reach found = reach::compared_range;
  std::string reason;                            // of compared_range: why nothing is proved
  std::int64_t last = 0;                         // of all_positions: the last of them
  std::optional<differing_positions> differing;  // of differs
  bool is_equal_from_0_on = false;               // of differs: only negative positions tell the masks apart
};

// Looks at the other positions. The elements that were compared are equal.
elsewhere look_elsewhere(const two_sides& sides, const difference& compared);

// What both comparisons say together.
enum class diff_verdict : std::uint8_t { equal, different, equal_where_compared };
diff_verdict verdict_of(const difference& compared, const elsewhere& others);

}  // namespace axismask::command
