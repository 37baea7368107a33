// The arithmetic of `number` that takes more than one Halide operation.
#include "axismask/generator/expression.hpp"

#include <algorithm>
#include <limits>
#include <string>

namespace axismask::generator {
namespace {

constexpr std::int64_t lowest64 = std::numeric_limits<std::int64_t>::min();
constexpr std::int64_t highest64 = std::numeric_limits<std::int64_t>::max();

// Binds the operands of an operation that uses them more than once to names. Halide walks expressions as trees, so a
// chain of such operations would otherwise grow by a power at each step: two of them took minutes and all memory.
template <class Operation>
Halide::Expr with_names(const Halide::Expr& a, const Halide::Expr& b, Operation operation) {
  const std::string name_a = Halide::Internal::unique_name("axismask_a");
  const std::string name_b = Halide::Internal::unique_name("axismask_b");
  using Halide::Internal::Let;
  using Halide::Internal::Variable;
  const Halide::Expr result =
      operation(Variable::make(Halide::Int(64), name_a), Variable::make(Halide::Int(64), name_b));
  return Let::make(name_a, a, Let::make(name_b, b, result));
}

// Halide has no saturating product. The product in floating point tells its size to one part in 2^52; where that is
// too close to 2^63 to tell, the product of 64 bits has the wrong sign exactly if it wrapped around.
Halide::Expr saturating_product(const Halide::Expr& a, const Halide::Expr& b) {
  using Halide::cast;
  const Halide::Expr wrapped =
      Halide::reinterpret<std::int64_t>(Halide::reinterpret<std::uint64_t>(a) * Halide::reinterpret<std::uint64_t>(b));
  const Halide::Expr size = cast<double>(a) * cast<double>(b);
  const Halide::Expr surely(9.3e18);
  const Halide::Expr maybe(9.2e18);
  const Halide::Expr above = size > surely || (size > maybe && wrapped < 0);
  const Halide::Expr below = size < -surely || (size < -maybe && wrapped > 0);
  return select(above, constant(highest64), below, constant(lowest64), wrapped);
}

}  // namespace

narrow_number::narrow_number(std::int64_t value)
    : value_(static_cast<std::int32_t>(std::clamp<std::int64_t>(value, std::numeric_limits<std::int32_t>::min(),
                                                                std::numeric_limits<std::int32_t>::max()))) {}

// By a literal, with 64 bits: Halide's simplifier multiplies the literal by others, x / 1000 < 3000000 becoming
// x < 3000000000, and does not see that 32 bits do not hold the product or a sum with it.
narrow_number operator/(const narrow_number& a, const narrow_number& b) {
  if (!Halide::Internal::is_const(b.value_)) return narrow_number(a.value_ / b.value_);
  return narrow_number(Halide::cast<std::int64_t>(a.value_) / Halide::cast<std::int64_t>(b.value_));
}

number::wide number::saturated(wide value) { return std::clamp<wide>(value, lowest64, highest64); }

Halide::Expr number::saturating_sum(const Halide::Expr& a, const Halide::Expr& b) {
  return with_names(a, b, [](const Halide::Expr& x, const Halide::Expr& y) { return Halide::saturating_add(x, y); });
}

Halide::Expr number::saturating_difference(const Halide::Expr& a, const Halide::Expr& b) {
  return with_names(a, b, [](const Halide::Expr& x, const Halide::Expr& y) { return Halide::saturating_sub(x, y); });
}

number operator*(const number& a, const number& b) {
  const auto corners = {a.lowest_ * b.lowest_, a.lowest_ * b.highest_, a.highest_ * b.lowest_, a.highest_ * b.highest_};
  const number::wide lowest = std::min(corners);
  const number::wide highest = std::max(corners);
  return {number::fits(lowest, highest) ? a.value_ * b.value_ : with_names(a.value_, b.value_, saturating_product),
          lowest, highest};
}

// Halide's own rules are ours: the remainder is never negative, and dividing by zero gives zero. What it leaves open is
// the one quotient that 64 bits cannot hold.
number operator/(const number& a, const number& b) {
  const bool may_overflow = a.lowest_ == lowest64 && b.lowest_ <= -1 && b.highest_ >= -1;
  const Halide::Expr quotient = with_names(a.value_, b.value_, [&](const Halide::Expr& x, const Halide::Expr& y) {
    if (!may_overflow) return x / y;
    return select(y == constant(-1), number::saturating_difference(constant(0), x), x / y);
  });
  if (b.lowest_ > 0) return {quotient, std::min<number::wide>(a.lowest_, 0), std::max<number::wide>(a.highest_, 0)};
  const number::wide most = std::max(a.highest_, -a.lowest_) + 1;
  return {quotient, -most, most};
}

number operator%(const number& a, const number& b) {
  const bool may_overflow = a.lowest_ == lowest64 && b.lowest_ <= -1 && b.highest_ >= -1;
  const Halide::Expr remainder = with_names(a.value_, b.value_, [&](const Halide::Expr& x, const Halide::Expr& y) {
    return may_overflow ? select(y == constant(-1), constant(0), x % y) : x % y;
  });
  return {remainder, 0, std::max(b.highest_, -b.lowest_)};
}

}  // namespace axismask::generator
