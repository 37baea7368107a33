// The third reading of `keep`: intervals. Over a tile of logits each operand lies between two numbers; this arithmetic
// tells from those alone whether all, none or some of the tile's logits are kept. "All" and "none" are proofs, for any
// `keep`; "some" is always safe to say.
#pragma once

#include <cstdint>
#include <limits>

#include "axismask/readings/integer.hpp"

namespace axismask {

// What a mask keeps of a tile.
enum class verdict : std::uint8_t { none, some, all };

constexpr verdict operator!(verdict of) {
  if (of == verdict::some) return verdict::some;
  return of == verdict::none ? verdict::all : verdict::none;
}
constexpr verdict operator&&(verdict a, verdict b) { return detail::smaller(a, b); }
constexpr verdict operator||(verdict a, verdict b) { return detail::larger(a, b); }

// All whole numbers from `lowest` to `highest`. The bounds saturate as `integer` does, and since that rounds larger
// numbers to numbers that are not smaller, what holds for the bounds holds for all between them.
class interval {
 public:
  constexpr interval() : interval(0) {}
  constexpr interval(std::int64_t value) : lowest_(value), highest_(value) {}  // NOLINT: implicit, as for `integer`
  constexpr interval(integer lowest, integer highest) : lowest_(lowest), highest_(highest) {}

  [[nodiscard]] constexpr std::int64_t lowest() const { return lowest_.value(); }
  [[nodiscard]] constexpr std::int64_t highest() const { return highest_.value(); }
  [[nodiscard]] constexpr bool is_one_number() const { return lowest_ == highest_; }

  friend constexpr interval operator+(interval a, interval b) {
    return {a.lowest_ + b.lowest_, a.highest_ + b.highest_};
  }
  friend constexpr interval operator-(interval a, interval b) {
    return {a.lowest_ - b.highest_, a.highest_ - b.lowest_};
  }
  friend constexpr interval operator-(interval a) { return interval(0) - a; }
  friend constexpr interval operator*(interval a, interval b) {
    return hull(a.lowest_ * b.lowest_, a.lowest_ * b.highest_, a.highest_ * b.lowest_, a.highest_ * b.highest_);
  }
  friend constexpr interval operator/(interval a, interval b) {
    if (b.lowest() >= 1) {  // the quotient grows with the dividend, and towards zero with the divisor
      return hull(a.lowest_ / b.lowest_, a.lowest_ / b.highest_, a.highest_ / b.lowest_, a.highest_ / b.highest_);
    }
    const integer most = detail::larger(a.highest_, -a.lowest_) + integer(1);
    return {detail::smaller(a.lowest_, -most), most};  // by 1 the lowest number stays itself
  }
  friend constexpr interval operator%(interval a, interval b) {
    if (b.is_one_number() && b.lowest() >= 1) {
      const integer divisor = b.lowest_;
      // Within one run of the divisor's length the remainder grows with the dividend.
      if (a.lowest_ / divisor == a.highest_ / divisor) return {a.lowest_ % divisor, a.highest_ % divisor};
      return {integer(0), divisor - integer(1)};
    }
    // Less than the divisor's magnitude, which for the lowest number is one more than 64 bits hold.
    constexpr std::int64_t lowest = std::numeric_limits<std::int64_t>::min();
    const integer most = b.lowest() == lowest ? -b.lowest_ : detail::larger(b.highest_, -b.lowest_) - integer(1);
    return {integer(0), detail::larger(integer(0), most)};
  }

  friend constexpr verdict operator<(interval a, interval b) {
    if (a.highest_ < b.lowest_) return verdict::all;
    return a.lowest_ < b.highest_ ? verdict::some : verdict::none;
  }
  friend constexpr verdict operator==(interval a, interval b) {
    if (a.highest_ < b.lowest_ || b.highest_ < a.lowest_) return verdict::none;
    return a.is_one_number() && b.is_one_number() ? verdict::all : verdict::some;
  }
  friend constexpr verdict operator>(interval a, interval b) { return b < a; }
  friend constexpr verdict operator<=(interval a, interval b) { return !(b < a); }
  friend constexpr verdict operator>=(interval a, interval b) { return !(a < b); }
  friend constexpr verdict operator!=(interval a, interval b) { return !(a == b); }

 private:
  static constexpr interval hull(integer a, integer b, integer c, integer d) {
    using detail::larger;
    using detail::smaller;
    return {smaller(smaller(a, b), smaller(c, d)), larger(larger(a, b), larger(c, d))};
  }

  integer lowest_;
  integer highest_;
};

}  // namespace axismask
