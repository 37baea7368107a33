// Arithmetic of wide numbers that says when even they are too small.
#pragma once

#include <algorithm>
#include <string>

#include "mask/formula_tree.hpp"

namespace axismask {

// Did any sum or product not fit? What there was of it since is of no use then.
class overflow {
 public:
  [[nodiscard]] wide sum(wide a, wide b) {
    wide result = 0;
    happened_ = __builtin_add_overflow(a, b, &result) || happened_;
    return result;
  }
  [[nodiscard]] wide product(wide a, wide b) {
    wide result = 0;
    happened_ = __builtin_mul_overflow(a, b, &result) || happened_;
    // Half of the range is left, so that the sign of a number can be changed.
    happened_ = happened_ || result > limit || result < -limit;
    return result;
  }
  // The least common multiple of two numbers of at least 1.
  [[nodiscard]] wide multiple(wide a, wide b);

  explicit operator bool() const { return happened_; }

 private:
  static constexpr wide limit = wide{1} << 126;
  bool happened_ = false;
};

// The greatest common divisor of their magnitudes; that of 0 and a number is the number's.
[[nodiscard]] constexpr wide common_divisor(wide a, wide b) {
  while (b != 0) {
    const wide rest = a % b;
    a = b;
    b = rest;
  }
  return a < 0 ? -a : a;
}

inline wide overflow::multiple(wide a, wide b) { return product(a / common_divisor(a, b), b); }

// Rounded down, and up, for a divisor of at least 1.
[[nodiscard]] constexpr wide floor_quotient(wide a, wide b) {
  const wide quotient = a / b;
  return a % b < 0 ? quotient - 1 : quotient;
}
[[nodiscard]] constexpr wide ceiling_quotient(wide a, wide b) { return -floor_quotient(-a, b); }

[[nodiscard]] inline std::string wide_text(wide number) {
  if (number == 0) return "0";
  std::string digits;
  for (wide rest = number; rest != 0; rest /= 10) {
    const auto digit = static_cast<int>(rest % 10);
    digits += static_cast<char>('0' + (digit < 0 ? -digit : digit));
  }
  if (number < 0) digits += '-';
  std::reverse(digits.begin(), digits.end());
  return digits;
}

}  // namespace axismask
