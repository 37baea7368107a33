// The positions of serving: each helper's, place by place, and what it says of bad input.
#include "axismask/positions.hpp"

#include <gtest/gtest.h>

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace axismask {
namespace {

using numbers = std::vector<std::int32_t>;

template <class Call>
std::string error_of(Call call) {
  try {
    call();
  } catch (const error& problem) {
    return problem.what();
  }
  return "no error";
}

// The snippet at the head of positions.hpp.
TEST(Positions, TheFirstChunkOfACacheThatWraps) {
  constexpr std::int64_t n = 2;
  constexpr std::int64_t window = 3;
  std::vector<std::int32_t> queries(n), keys(positions::ring_capacity(window, n));
  positions::ring cache{std::span(keys), window};
  positions::consecutive(std::span(queries), cache.tokens());
  cache.append(n);
  EXPECT_EQ(queries, (numbers{0, 1}));
  EXPECT_EQ(keys, (numbers{0, 1, -1, -1}));
}

TEST(Positions, ConsecutiveStartAnywhere) {
  numbers out(4, 7);
  positions::consecutive(std::span(out));
  EXPECT_EQ(out, (numbers{0, 1, 2, 3}));
  positions::consecutive(std::span(out), 100);
  EXPECT_EQ(out, (numbers{100, 101, 102, 103}));
  std::vector<std::int64_t> wide(1);
  positions::consecutive(std::span(wide), std::int64_t{1} << 40);
  EXPECT_EQ(wide[0], std::int64_t{1} << 40);
}

TEST(Positions, OfPaddedBatches) {
  const std::array<std::int64_t, 4> lengths{3, 0, 1, 4};
  numbers out(16, 7);
  positions::left_padded(std::span(lengths), 4, std::span(out));
  EXPECT_EQ(out, (numbers{-1, 0, 1, 2, -1, -1, -1, -1, -1, -1, -1, 0, 0, 1, 2, 3}));
  positions::right_padded(std::span(lengths), 4, std::span(out));
  EXPECT_EQ(out, (numbers{0, 1, 2, -1, -1, -1, -1, -1, 0, -1, -1, -1, 0, 1, 2, 3}));
}

TEST(Positions, OfPackedDocuments) {
  const std::array<std::int64_t, 3> lengths{2, 0, 3};
  numbers documents(7, 7);
  numbers out(7, 7);
  positions::packed(std::span(lengths), std::span(documents), std::span(out));
  EXPECT_EQ(documents, (numbers{0, 0, 2, 2, 2, -1, -1}));
  EXPECT_EQ(out, (numbers{0, 1, 0, 1, 2, -1, -1}));
}

TEST(Positions, OfARingThatWraps) {
  numbers slots(5, 7);
  positions::ring cache{std::span(slots), 3};
  EXPECT_EQ(slots, (numbers{-1, -1, -1, -1, -1}));
  cache.append(4);
  EXPECT_EQ(slots, (numbers{0, 1, 2, 3, -1}));
  cache.append(3);
  EXPECT_EQ(slots, (numbers{5, 6, 2, 3, 4}));
  cache.append(1);
  EXPECT_EQ(slots, (numbers{5, 6, 7, 3, 4}));
  EXPECT_EQ(cache.tokens(), 8);
  cache.trim(6);  // the next query, at 6, sees 4 and 5
  EXPECT_EQ(slots, (numbers{5, -1, -1, 3, 4}));
  cache.append(1);
  EXPECT_EQ(slots, (numbers{5, 6, -1, 3, 4}));
  cache.trim(0);
  EXPECT_EQ(slots, (numbers{-1, -1, -1, -1, -1}));
  cache.append(5);
  EXPECT_EQ(slots, (numbers{0, 1, 2, 3, 4}));
}

TEST(Positions, ARingTellsItsCapacity) {
  static_assert(positions::ring_capacity(512, 1) == 512);
  static_assert(positions::ring_capacity(512, 128) == 639);
}

TEST(Positions, SayWhatIsWrong) {
  numbers out(8);
  const std::array<std::int64_t, 2> lengths{3, 5};
  EXPECT_EQ(error_of([&] { positions::left_padded(std::span(lengths), 4, std::span(out)); }),
            "axismask: error[positions-length] positions::left_padded: a row of 4 places is to have 5 tokens; give "
            "lengths from 0 to the width of the rows");
  EXPECT_EQ(error_of([&] { positions::right_padded(std::span(lengths), 5, std::span(out)); }),
            "axismask: error[positions-size] positions::right_padded: the memory is for 8 positions, and there are 10; "
            "give memory for each, rows of a batch one after another");
  numbers slots(5, 7);
  EXPECT_EQ(
      error_of([&] { positions::ring(std::span(slots), 6); }),
      "axismask: error[ring-capacity] positions::ring: a window of 6 keys is to be kept in 5 slots; give at least "
      "a slot for each key of the window, and a window of at least 1");
  positions::ring cache{std::span(slots), 3};
  cache.append(4);
  EXPECT_EQ(error_of([&] { cache.append(4); }),
            "axismask: error[ring-capacity] positions::ring: a chunk of 4 tokens and the 2 keys before it that are in "
            "its window are more than the 5 slots; give chunks of at most 3 tokens, or the slots that ring_capacity "
            "tells");
  EXPECT_EQ(slots, (numbers{0, 1, 2, 3, -1}));
  cache.append(3);
  cache.append(3);
  EXPECT_EQ(cache.tokens(), 10);
  EXPECT_EQ(
      error_of([&] { cache.trim(6); }),
      "axismask: error[ring-capacity] positions::ring: it cannot go back from 10 tokens to 6: keys of that window "
      "are gone; go back to a number of tokens whose window is there, to 0, or give more slots");
  EXPECT_EQ(
      error_of([&] { cache.trim(11); }),
      "axismask: error[ring-capacity] positions::ring: it cannot go back from 10 tokens to 11; go back to a number "
      "of tokens whose window is there, to 0, or give more slots");
  EXPECT_EQ(slots, (numbers{5, 6, 7, 8, 9}));
  cache.trim(7);  // the next query, at 7, sees 5 and 6
  EXPECT_EQ(slots, (numbers{5, 6, -1, -1, -1}));
  // What was pushed out does not come back, however few tokens there are now.
  EXPECT_NE(error_of([&] { cache.trim(6); }), "no error");
}

}  // namespace
}  // namespace axismask
