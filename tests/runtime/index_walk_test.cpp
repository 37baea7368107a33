// Counting along several axes.
#include "axismask/arrays/index_walk.hpp"

#include <gtest/gtest.h>

#include <array>
#include <cstdint>
#include <utility>
#include <vector>

namespace axismask {
namespace {

using indices = std::vector<std::int64_t>;

TEST(split_index, gives_an_index_along_each_axis_and_what_is_left) {
  constexpr std::array<std::int64_t, 3> sizes{2, 3, 4};
  for (std::int64_t number = 0; number < 48; ++number) {
    indices found(3);
    std::vector<std::size_t> order;
    const std::int64_t left = split_index(
        number, 3, [&](std::size_t axis) { return sizes[axis]; },
        [&](std::size_t axis, std::int64_t index) {
          found[axis] = index;
          order.push_back(axis);
        });
    EXPECT_EQ(found, (indices{number / 12 % 2, number / 4 % 3, number % 4}));
    EXPECT_EQ(left, number / 24);
    EXPECT_EQ(order, (std::vector<std::size_t>{2, 1, 0}));
  }
  EXPECT_EQ(split_index(7, 0, [](std::size_t) { return 1; }, [](std::size_t, std::int64_t) {}), 7);
}

TEST(index_walk, visits_every_index_in_order_with_the_offsets_of_each_array) {
  constexpr std::array<std::int64_t, 3> sizes{2, 1, 3};
  constexpr std::array<std::array<std::int64_t, 3>, 2> strides{{{100, 7, -10}, {0, 5, 2}}};
  index_walk<2> walk;
  for (std::size_t axis = 0; axis < 3; ++axis) {
    walk.add_axis(sizes[axis], [&](std::size_t array) { return strides[array][axis]; });
  }
  EXPECT_EQ(walk.count(), 6);
  std::vector<std::pair<indices, indices>> visited;
  const auto visit = [&] {
    visited.push_back({{walk.index(0), walk.index(1), walk.index(2)}, {walk.offset(0), walk.offset(1)}});
  };
  const std::vector<std::pair<indices, indices>> expected{
      {{0, 0, 0}, {0, 0}},   {{0, 0, 1}, {-10, 2}}, {{0, 0, 2}, {-20, 4}},
      {{1, 0, 0}, {100, 0}}, {{1, 0, 1}, {90, 2}},  {{1, 0, 2}, {80, 4}},
  };
  walk.for_each(visit);
  EXPECT_EQ(visited, expected);
  visited.clear();
  walk.for_each(visit);  // from the start again
  EXPECT_EQ(visited, expected);
}

TEST(index_walk, knows_as_many_arrays_as_it_is_told) {
  index_walk<4> walk(1);
  walk.add_axis(3, [](std::size_t array) {
    EXPECT_EQ(array, 0U);
    return 5;
  });
  std::int64_t sum = 0;
  walk.for_each([&] { sum += walk.offset(0); });
  EXPECT_EQ(sum, 15);
}

TEST(index_walk, of_no_axes_visits_once_and_of_an_empty_axis_never) {
  int visits = 0;
  index_walk<1> walk;
  EXPECT_EQ(walk.count(), 1);
  walk.for_each([&] {
    EXPECT_EQ(walk.offset(0), 0);
    ++visits;
  });
  EXPECT_EQ(visits, 1);
  walk.add_axis(2, [](std::size_t) { return 1; });
  walk.add_axis(0, [](std::size_t) { return 1; });
  EXPECT_EQ(walk.count(), 0);
  walk.for_each([&] { ++visits; });
  EXPECT_EQ(visits, 1);
}

}  // namespace
}  // namespace axismask
