// The first reading of `keep`: whole numbers. This is the arithmetic that all readings share, and the reference that
// every kernel is compared with.
//
// The room readings/ holds the arithmetics with which a `keep` is read.
// What may never enter it: layers, and what a reading is used for.
#pragma once

#include <compare>
#include <cstdint>
#include <limits>

namespace axismask {

// A 64-bit whole number whose arithmetic never overflows: a result that 64 bits cannot hold becomes the nearest one
// that they can. Division rounds so that the remainder is never negative (Halide's rule; down, for a positive divisor),
// so that chunks of negative positions have one length too. By zero, quotient and remainder are zero.
class integer {
 public:
  constexpr integer(std::int64_t value) : value_(value) {}  // NOLINT: implicit, `kv_position >= 0` is meant to read so

  [[nodiscard]] constexpr std::int64_t value() const { return value_; }

  friend constexpr auto operator<=>(integer, integer) = default;

  friend constexpr integer operator+(integer a, integer b) {
    std::int64_t sum = 0;
    if (__builtin_add_overflow(a.value_, b.value_, &sum)) return b.value_ < 0 ? lowest : highest;
    return sum;
  }
  friend constexpr integer operator-(integer a, integer b) {
    std::int64_t difference = 0;
    if (__builtin_sub_overflow(a.value_, b.value_, &difference)) return b.value_ < 0 ? highest : lowest;
    return difference;
  }
  friend constexpr integer operator*(integer a, integer b) {
    std::int64_t product = 0;
    if (__builtin_mul_overflow(a.value_, b.value_, &product)) {
      return (a.value_ < 0) == (b.value_ < 0) ? highest : lowest;
    }
    return product;
  }
  friend constexpr integer operator/(integer a, integer b) {
    if (b.value_ == 0) return 0;
    if (b.value_ == -1) return -a;
    const std::int64_t quotient = a.value_ / b.value_;
    if (a.value_ % b.value_ >= 0) return quotient;
    return b.value_ > 0 ? quotient - 1 : quotient + 1;
  }
  friend constexpr integer operator%(integer a, integer b) {
    if (b.value_ == 0 || b.value_ == -1) return 0;
    const std::int64_t remainder = a.value_ % b.value_;
    if (remainder >= 0) return remainder;
    return b.value_ > 0 ? remainder + b.value_ : remainder - b.value_;
  }
  friend constexpr integer operator-(integer a) { return integer(0) - a; }

 private:
  static constexpr std::int64_t lowest = std::numeric_limits<std::int64_t>::min();
  static constexpr std::int64_t highest = std::numeric_limits<std::int64_t>::max();

  std::int64_t value_;
};

namespace detail {

// std::min and std::max, whose header costs as much to compile as all readings together.
template <class T>
[[nodiscard]] constexpr T smaller(T a, T b) {
  return b < a ? b : a;
}
template <class T>
[[nodiscard]] constexpr T larger(T a, T b) {
  return a < b ? b : a;
}

}  // namespace detail

}  // namespace axismask
