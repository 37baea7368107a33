// The arithmetic of `number` that takes more than one Halide operation.
#include "axismask/generator/expression.hpp"

#include <algorithm>
#include <limits>

namespace axismask::generator {
namespace {

constexpr std::int64_t lowest64 = std::numeric_limits<std::int64_t>::min();
constexpr std::int64_t highest64 = std::numeric_limits<std::int64_t>::max();

// Halide has no saturating product. The product in floating point tells its size to one part in 2^52; where that is
// too close to 2^63 to tell, the product of 64 bits has the wrong sign exactly if it wrapped around.
Halide::Expr saturating_product(const Halide::Expr& a, const Halide::Expr& b) {
  using Halide::cast;
  const Halide::Expr wrapped = Halide::reinterpret<std::int64_t>(Halide::reinterpret<std::uint64_t>(a) *
                                                                 Halide::reinterpret<std::uint64_t>(b));
  const Halide::Expr size = cast<double>(a) * cast<double>(b);
  const Halide::Expr surely(9.3e18);
  const Halide::Expr maybe(9.2e18);
  const Halide::Expr above = size > surely || (size > maybe && wrapped < 0);
  const Halide::Expr below = size < -surely || (size < -maybe && wrapped > 0);
  return select(above, constant(highest64), below, constant(lowest64), wrapped);
}

}  // namespace

number::wide number::saturated(wide value) { return std::clamp<wide>(value, lowest64, highest64); }

number operator*(const number& a, const number& b) {
  const auto corners = {a.lowest_ * b.lowest_, a.lowest_ * b.highest_, a.highest_ * b.lowest_, a.highest_ * b.highest_};
  const number::wide lowest = std::min(corners);
  const number::wide highest = std::max(corners);
  return {number::fits(lowest, highest) ? a.value_ * b.value_ : saturating_product(a.value_, b.value_), lowest, highest};
}

// Halide's own rules are ours: the remainder is never negative, and dividing by zero gives zero. What it leaves open is
// the one quotient that 64 bits cannot hold.
number operator/(const number& a, const number& b) {
  Halide::Expr quotient = a.value_ / b.value_;
  if (a.lowest_ == lowest64 && b.lowest_ <= -1) {
    quotient = select(b.value_ == constant(-1), (number(0) - a).value_, quotient);
  }
  const number::wide most = std::max(a.highest_, -a.lowest_);
  return b.lowest_ > 0 ? number(quotient, std::min<number::wide>(a.lowest_, 0), std::max<number::wide>(a.highest_, 0))
                       : number(quotient, -most - 1, most + 1);
}

number operator%(const number& a, const number& b) {
  Halide::Expr remainder = a.value_ % b.value_;
  if (a.lowest_ == lowest64 && b.lowest_ <= -1) {
    remainder = select(b.value_ == constant(-1), constant(0), remainder);
  }
  return {remainder, 0, std::max(b.highest_, -b.lowest_)};
}

}  // namespace axismask::generator
