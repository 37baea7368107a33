// Positions and other integers of side inputs in the width that a kernel computes with.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "arrays/bound_call.hpp"

namespace axismask {

// Copies of operands in the other width, 4 or 8 bytes an element.
struct converted_numbers {
  std::array<std::vector<std::int32_t>, max_operands> narrow;
  std::array<std::vector<std::int64_t>, max_operands> wide;
};

// To be called when the result is bound, too. Gives every operand that is a side input's numbers this width, 4 or 8
// bytes. Numbers that are made narrow must fit.
void set_width(bound_call& call, int bytes, converted_numbers& copies);

}  // namespace axismask
