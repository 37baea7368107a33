// Tags, renaming, order, slices and printing of named views: names checked by the compiler, memory shared.
#include "axismask/views.hpp"

#include <gtest/gtest.h>

#include <array>
#include <sstream>
#include <type_traits>

namespace axismask {
namespace {

class views_test : public testing::Test {
 protected:
  std::array<int, 24> memory{[] {
    std::array<int, 24> numbers{};
    for (int at = 0; at < 24; ++at) numbers[static_cast<std::size_t>(at)] = at;
    return numbers;
  }()};
  named_view<int, axes<"heads", "seq", "kv_seq">> view{memory.data(), {2, 3, 4}};
};

TEST_F(views_test, tags_come_and_go) {
  const auto places = untag<"seq", "heads", "kv_seq">(view);
  static_assert(std::is_same_v<decltype(places), const positional_view<int, 3>>);
  EXPECT_EQ(places.sizes, (std::array<std::int64_t, 3>{3, 2, 4}));
  EXPECT_EQ(places.strides, (std::array<std::int64_t, 3>{4, 12, 1}));
  const auto again = tag<"seq", "heads", "kv_seq">(places);
  EXPECT_EQ(again(2, 1, 3), view(1, 2, 3));
  EXPECT_EQ(&again(0, 0, 0), memory.data());
}

TEST_F(views_test, places_without_strides_are_dense) {
  const positional_view<int, 3> places{memory.data(), {2, 3, 4}};
  EXPECT_EQ(places.strides, (std::array<std::int64_t, 3>{12, 4, 1}));
  const positional_view<int, 2> repeated{memory.data(), {2, 3}, {0, 1}};
  EXPECT_EQ(repeated.strides, (std::array<std::int64_t, 2>{0, 1}));
}

TEST_F(views_test, axes_are_renamed_and_reordered) {
  const auto renamed_view = rename<"heads", "groups">(view);
  static_assert(std::is_same_v<decltype(renamed_view)::axes_type, axes<"groups", "seq", "kv_seq">>);
  EXPECT_EQ(renamed_view.size<"groups">(), 2);
  const auto turned = order_as<"kv_seq", "heads", "seq">(view);
  static_assert(std::is_same_v<decltype(turned)::axes_type, axes<"kv_seq", "heads", "seq">>);
  EXPECT_EQ(turned(3, 1, 2), view(1, 2, 3));
  EXPECT_EQ(turned.size<"kv_seq">(), 4);
}

TEST_F(views_test, slices_keep_or_drop_their_axis) {
  const auto part = slice<"seq">(view, 1, 2);
  static_assert(std::is_same_v<decltype(part)::axes_type, axes<"heads", "seq", "kv_seq">>);
  EXPECT_EQ(part.size<"seq">(), 2);
  EXPECT_EQ(part(1, 1, 3), view(1, 2, 3));
  const auto one = slice<"heads">(view, 1);
  static_assert(std::is_same_v<decltype(one)::axes_type, axes<"seq", "kv_seq">>);
  EXPECT_EQ(one(2, 3), view(1, 2, 3));
  EXPECT_EQ(slice<"seq">(view, 3, 0).size<"seq">(), 0);
}

TEST_F(views_test, a_slice_beyond_the_axis_is_an_error) {
  try {
    (void)slice<"seq">(view, 2, 2);
    FAIL();
  } catch (const error& problem) {
    EXPECT_STREQ(
        problem.what(),
        "axismask: error[slice-range] slice: 2 from 2 is not within the axis \"seq\" of size 3; take a part that the "
        "axis has");
  }
  EXPECT_THROW((void)slice<"seq">(view, -1), error);
  EXPECT_THROW((void)slice<"seq">(view, 3), error);
}

TEST_F(views_test, print_their_shape_and_few_elements) {
  EXPECT_EQ(named_shape(view), "{heads: 2, seq: 3, kv_seq: 4}");
  std::ostringstream out;
  out << slice<"heads">(view, 1);
  EXPECT_EQ(out.str(), "int32{seq: 3, kv_seq: 4}\n12 13 14 15\n16 17 18 19\n20 21 22 23");
  std::ostringstream large;
  large << named_view<int, axes<"seq">>(memory.data(), {100000});
  EXPECT_EQ(large.str(), "int32{seq: 100000}");
}

}  // namespace
}  // namespace axismask
