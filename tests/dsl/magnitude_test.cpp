// How large the numbers of `keep` get: never less than they do.
#include "axismask/readings/magnitude.hpp"

#include <gtest/gtest.h>

#include <array>
#include <cstdint>
#include <limits>

#include "axismask/layers.hpp"

namespace axismask {
namespace {

constexpr std::int64_t highest = std::numeric_limits<std::int64_t>::max();

static_assert((magnitude(3) < magnitude(-7)).largest() == 7);
static_assert((magnitude(3) + magnitude(-7) < 0).largest() == 10);
static_assert((magnitude(3) - magnitude(-7) < 0).largest() == 10);
static_assert((magnitude(3) * magnitude(-7) < 0).largest() == 21);
static_assert((magnitude(-7) / magnitude(2) < 0).largest() == 8);  // a quotient may be one farther from 0: -1 / 7 is -1
static_assert((magnitude(3) % magnitude(1000) < 0).largest() == 1000);
static_assert((magnitude(5) - 1000 == 0).largest() == 1005);
static_assert((magnitude(highest) * magnitude(2) > 0).largest() == highest);
static_assert((magnitude(std::numeric_limits<std::int64_t>::min()) > 0).largest() == highest);
// What is large on the way counts, too.
static_assert((magnitude(1000) * magnitude(1000) % 7 < 3).largest() == 1000000);
static_assert((magnitude(1) < 2 && !(magnitude(50) != 3)).largest() == 50);
static_assert((magnitude::condition(true) || magnitude(9) >= 3).largest() == 9);

TEST(Magnitude, OfTheShippedLayersIsThatOfTheirLine) {
  const auto of = [](const layer_type& type, auto... magnitudes) {
    return type.largest(std::array<std::int64_t, sizeof...(magnitudes)>{magnitudes...});
  };
  EXPECT_EQ(of(layer_type_of<ApplyCausalAttentionMask<>>, 10, 20), 20);
  EXPECT_EQ(of(layer_type_of<ApplyCausalSlidingWindowAttentionMask<>>, 10, 20, 5), 30);
  EXPECT_EQ(of(layer_type_of<ApplyCausalSlidingWindowAttentionMask<>>, 10, 20, 1000), 1000);
  EXPECT_EQ(of(layer_type_of<ApplyExplicitAttentionMask<>>, 1), 0);
}

}  // namespace
}  // namespace axismask
