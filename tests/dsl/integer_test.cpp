// Whole numbers that never overflow: the arithmetic of the reference, against 128 bits.
#include "axismask/readings/integer.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <cstdint>
#include <limits>

#include "wide.hpp"

namespace axismask {
namespace {

constexpr std::int64_t lowest = std::numeric_limits<std::int64_t>::min();
constexpr std::int64_t highest = std::numeric_limits<std::int64_t>::max();

constexpr std::int64_t value(integer number) { return number.value(); }

// Inside, it is the built-in arithmetic.
static_assert(value(integer(2) + integer(3)) == 5);
static_assert(value(integer(2) - integer(3)) == -1);
static_assert(value(integer(-2) * integer(3)) == -6);
static_assert(value(-integer(3)) == -3);
static_assert(integer(2) < 3 && integer(3) >= 3 && integer(3) == 3 && integer(3) != 4);
static_assert(0 <= integer(0));

// At the ends, it stays there.
static_assert(value(integer(highest) + 1) == highest);
static_assert(value(integer(lowest) + -1) == lowest);
static_assert(value(integer(highest) + highest) == highest);
static_assert(value(integer(lowest) + lowest) == lowest);
static_assert(value(integer(highest) + lowest) == -1);
static_assert(value(integer(lowest) - 1) == lowest);
static_assert(value(integer(highest) - -1) == highest);
static_assert(value(integer(0) - lowest) == highest);
static_assert(value(integer(highest) - lowest) == highest);
static_assert(value(integer(lowest) - highest) == lowest);
static_assert(value(integer(-1) - lowest) == highest);
static_assert(value(-integer(lowest)) == highest);
static_assert(value(-integer(highest)) == -highest);
static_assert(value(integer(highest) * 2) == highest);
static_assert(value(integer(highest) * -2) == lowest);
static_assert(value(integer(lowest) * 2) == lowest);
static_assert(value(integer(lowest) * -1) == highest);
static_assert(value(integer(lowest) * lowest) == highest);
static_assert(value(integer(lowest) * 0) == 0);

// Division by a positive number rounds down, so chunks of negative positions are as long as the others.
static_assert(value(integer(7) / 4) == 1 && value(integer(7) % 4) == 3);
static_assert(value(integer(8) / 4) == 2 && value(integer(8) % 4) == 0);
static_assert(value(integer(-1) / 4) == -1 && value(integer(-1) % 4) == 3);
static_assert(value(integer(-4) / 4) == -1 && value(integer(-4) % 4) == 0);
static_assert(value(integer(-5) / 4) == -2 && value(integer(-5) % 4) == 3);
// By a negative one, the remainder is still not negative.
static_assert(value(integer(7) / -4) == -1 && value(integer(7) % -4) == 3);
static_assert(value(integer(-7) / -4) == 2 && value(integer(-7) % -4) == 1);
static_assert(value(integer(-8) / -4) == 2 && value(integer(-8) % -4) == 0);
// By zero, both are zero.
static_assert(value(integer(7) / 0) == 0 && value(integer(7) % 0) == 0);
static_assert(value(integer(lowest) / 0) == 0 && value(integer(lowest) % 0) == 0);
// The one quotient that 64 bits do not hold.
static_assert(value(integer(lowest) / -1) == highest && value(integer(lowest) % -1) == 0);
static_assert(value(integer(highest) / -1) == -highest);
static_assert(value(integer(lowest) / 1) == lowest);
static_assert(value(integer(lowest) / lowest) == 1 && value(integer(lowest) % lowest) == 0);
static_assert(value(integer(highest) / lowest) == 0 && value(integer(highest) % lowest) == highest);
static_assert(value(integer(-1) / lowest) == 1 && value(integer(-1) % lowest) == highest);
static_assert(value(integer(lowest) / highest) == -2 && value(integer(lowest) % highest) == highest - 1);

constexpr wide clamped(wide number) {
  if (number < lowest) return lowest;
  return number > highest ? wide(highest) : number;
}

RC_GTEST_PROP(Integer, SumsAreTheNearestThat64BitsHold, ()) {
  const std::int64_t a = *any_int64();
  const std::int64_t b = *any_int64();
  RC_ASSERT(value(integer(a) + integer(b)) == clamped(wide(a) + wide(b)));
  RC_ASSERT(value(integer(a) - integer(b)) == clamped(wide(a) - wide(b)));
  RC_ASSERT(value(integer(a) * integer(b)) == clamped(wide(a) * wide(b)));
  RC_ASSERT(value(-integer(a)) == clamped(-wide(a)));
}

// a = quotient * b + remainder with 0 <= remainder < |b| has one solution, and this must be it.
RC_GTEST_PROP(Integer, DivisionIsEuclids, ()) {
  const std::int64_t a = *any_int64();
  const std::int64_t b = *any_int64();
  RC_PRE(b != 0 && !(a == lowest && b == -1));
  const wide quotient = value(integer(a) / integer(b));
  const wide remainder = value(integer(a) % integer(b));
  RC_ASSERT(quotient * b + remainder == wide(a));
  RC_ASSERT(remainder >= 0);
  RC_ASSERT(remainder < (b < 0 ? -wide(b) : wide(b)));
}

RC_GTEST_PROP(Integer, ComparisonsAreTheBuiltInOnes, ()) {
  const std::int64_t a = *any_int64();
  const std::int64_t b = *rc::gen::oneOf(any_int64(), rc::gen::just(a));
  RC_ASSERT((integer(a) < integer(b)) == (a < b));
  RC_ASSERT((integer(a) <= integer(b)) == (a <= b));
  RC_ASSERT((integer(a) > integer(b)) == (a > b));
  RC_ASSERT((integer(a) >= integer(b)) == (a >= b));
  RC_ASSERT((integer(a) == integer(b)) == (a == b));
  RC_ASSERT((integer(a) != integer(b)) == (a != b));
}

}  // namespace
}  // namespace axismask
