// Another reading of `keep`: as Halide expressions, the arithmetic of the kernels. It gives the same result as the
// reading with whole numbers (integer.hpp), bit for bit: 64-bit arithmetic that saturates, or 32-bit arithmetic for
// numbers that are known to be small.
#pragma once

#include <Halide.h>

#include <cstdint>
#include <limits>
#include <utility>

namespace axismask::generator {

[[nodiscard]] inline Halide::Expr constant(std::int64_t value) {
  return Halide::Internal::make_const(Halide::Int(64), value);
}

// A 64-bit whole number in a kernel. It knows between which bounds it lies, so that saturation, which costs
// instructions, is paid only where a result could leave 64 bits: remainders and literals do not.
class number {
 public:
  number(std::int64_t value) : number(constant(value), value, value) {}  // NOLINT

  // An element of an operand, of any integer type.
  [[nodiscard]] static number of_element(const Halide::Expr& element) {
    return {Halide::cast<std::int64_t>(element), std::numeric_limits<std::int64_t>::min(),
            std::numeric_limits<std::int64_t>::max()};
  }

  [[nodiscard]] const Halide::Expr& value() const { return value_; }

  friend number operator+(const number& a, const number& b) {
    const wide lowest = a.lowest_ + b.lowest_;
    const wide highest = a.highest_ + b.highest_;
    return {fits(lowest, highest) ? a.value_ + b.value_ : saturating_sum(a.value_, b.value_), lowest, highest};
  }
  friend number operator-(const number& a, const number& b) {
    const wide lowest = a.lowest_ - b.highest_;
    const wide highest = a.highest_ - b.lowest_;
    return {fits(lowest, highest) ? a.value_ - b.value_ : saturating_difference(a.value_, b.value_), lowest, highest};
  }
  friend number operator*(const number& a, const number& b);
  friend number operator/(const number& a, const number& b);
  friend number operator%(const number& a, const number& b);
  friend number operator-(const number& a) { return number(0) - a; }

 private:
  __extension__ using wide = __int128;  // no warning of -Wpedantic

  number(Halide::Expr value, wide lowest, wide highest)
      : value_(std::move(value)), lowest_(saturated(lowest)), highest_(saturated(highest)) {}

  [[nodiscard]] static bool fits(wide lowest, wide highest) {
    return lowest == saturated(lowest) && highest == saturated(highest);
  }
  [[nodiscard]] static wide saturated(wide value);
  [[nodiscard]] static Halide::Expr saturating_sum(const Halide::Expr& a, const Halide::Expr& b);
  [[nodiscard]] static Halide::Expr saturating_difference(const Halide::Expr& a, const Halide::Expr& b);

  Halide::Expr value_;
  wide lowest_;
  wide highest_;
};

// A 32-bit whole number in a kernel for calls in which nothing is larger than `narrow_magnitude` (magnitude.hpp).
class narrow_number {
 public:
  narrow_number(std::int64_t value);  // NOLINT: implicit, as for `integer`
  explicit narrow_number(const Halide::Expr& value) : value_(Halide::cast<std::int32_t>(value)) {}
  [[nodiscard]] static narrow_number of_element(const Halide::Expr& element) { return narrow_number(element); }

  [[nodiscard]] const Halide::Expr& value() const { return value_; }

  friend narrow_number operator+(const narrow_number& a, const narrow_number& b) {
    return narrow_number(a.value_ + b.value_);
  }
  friend narrow_number operator-(const narrow_number& a, const narrow_number& b) {
    return narrow_number(a.value_ - b.value_);
  }
  friend narrow_number operator*(const narrow_number& a, const narrow_number& b) {
    return narrow_number(a.value_ * b.value_);
  }
  friend narrow_number operator/(const narrow_number& a, const narrow_number& b);
  friend narrow_number operator%(const narrow_number& a, const narrow_number& b) {
    return narrow_number(a.value_ % b.value_);
  }
  friend narrow_number operator-(const narrow_number& a) { return narrow_number(-a.value_); }

 private:
  Halide::Expr value_;
};

// A truth value in a kernel.
class condition {
 public:
  explicit condition(Halide::Expr value) : value_(std::move(value)) {}
  condition(bool value) : value_(Halide::Internal::make_bool(value)) {}  // NOLINT: implicit, as bool is for `&&`

  // An element of an operand, a byte: whatever is not 0 is true.
  [[nodiscard]] static condition of_element(const Halide::Expr& element) { return condition(element != 0); }

  [[nodiscard]] const Halide::Expr& value() const { return value_; }

  friend condition operator&&(const condition& a, const condition& b) { return condition(a.value_ && b.value_); }
  friend condition operator||(const condition& a, const condition& b) { return condition(a.value_ || b.value_); }
  friend condition operator!(const condition& a) { return condition(!a.value_); }
  friend condition operator==(const condition& a, const condition& b) { return condition(a.value_ == b.value_); }
  friend condition operator!=(const condition& a, const condition& b) { return condition(a.value_ != b.value_); }

 private:
  Halide::Expr value_;
};

// Comparisons; a template would not convert the literals that `keep` compares with.
#define AXISMASK_COMPARE(Number, op) \
  inline condition operator op(const Number& a, const Number& b) { return condition(a.value() op b.value()); }
#define AXISMASK_COMPARISONS(Number) \
  AXISMASK_COMPARE(Number, <)        \
  AXISMASK_COMPARE(Number, <=)       \
  AXISMASK_COMPARE(Number, >)        \
  AXISMASK_COMPARE(Number, >=)       \
  AXISMASK_COMPARE(Number, ==)       \
  AXISMASK_COMPARE(Number, !=)

AXISMASK_COMPARISONS(number)
AXISMASK_COMPARISONS(narrow_number)
#undef AXISMASK_COMPARISONS
#undef AXISMASK_COMPARE

}  // namespace axismask::generator
