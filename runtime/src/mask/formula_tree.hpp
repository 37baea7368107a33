// A layer's formula as a tree. The text of a formula is what its author wrote, and has no other signs than those of
// readings/formula.hpp; so whatever `keep` computes can be taken from it, for a user's own layers too.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

namespace axismask {

// Wide enough for sums and products of 64-bit numbers.
__extension__ using wide = __int128;

enum class formula_sign : std::uint8_t {
  number,
  query,  // the position of the query
  key,    // the position of the key
  negative,
  sum,
  difference,
  product,
  quotient,
  remainder,
  truth,  // `number` is 0 or 1
  opposite,
  both,
  either,
  equal,  // of numbers
  less,
  same,  // of truth values
};

// Is it a truth value, and not a number?
[[nodiscard]] constexpr bool is_condition(formula_sign sign) { return sign >= formula_sign::truth; }

// A formula in the order in which it is computed: operands stand before what is made of them, and the whole is the last
// node.
struct formula_tree {
  struct node {
    formula_sign sign;
    wide number = 0;
    std::size_t left = 0;   // nodes
    std::size_t right = 0;  // the same as `left` for signs of one operand
  };
  std::vector<node> nodes;
};

// Reads a formula in which the query's position is "q", the key's is "k", and all else are numbers, "true" or "false".
// Nothing when it is none of that kind.
[[nodiscard]] std::optional<formula_tree> read_formula(std::string_view text);

}  // namespace axismask
