// Named arrays: sizes, strides, elements, and the view without names in its type.
#include "axismask/array.hpp"

#include <gtest/gtest.h>

#include <array>
#include <cstdint>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

namespace axismask {
namespace {

using sizes3 = std::array<std::int64_t, 3>;

TEST(NamedView, IsDenseInCOrder) {
  std::vector<float> memory(24);
  const named_view<float, axes<"heads", "seq", "kv_seq">> view(memory.data(), {2, 3, 4});
  EXPECT_EQ(view.sizes(), (sizes3{2, 3, 4}));
  EXPECT_EQ(view.strides(), (sizes3{12, 4, 1}));
  EXPECT_EQ(view.data(), memory.data());
  EXPECT_EQ(view.size<"heads">(), 2);
  EXPECT_EQ(view.size<"seq">(), 3);
  EXPECT_EQ(view.size<"kv_seq">(), 4);
  view(1, 2, 3) = 5;
  EXPECT_EQ(memory[23], 5);
  EXPECT_EQ(&view(0, 0, 0), memory.data());
  EXPECT_EQ(&view(1, 0, 2), memory.data() + 14);
}

TEST(NamedView, TakesStrides) {
  std::vector<float> memory(64);
  // Rows of 4 in rows of 8, transposed: keys before queries.
  const named_view<float, axes<"kv_seq", "seq">> view(memory.data(), {4, 3}, {1, 8});
  EXPECT_EQ(&view(2, 1), memory.data() + 10);
  // An axis that repeats one element, and one that runs backwards.
  const named_view<float, axes<"batch", "seq">> repeated(memory.data() + 7, {5, 8}, {0, -1});
  EXPECT_EQ(&repeated(4, 0), memory.data() + 7);
  EXPECT_EQ(&repeated(2, 7), memory.data());
}

TEST(NamedView, WithoutStridesIsDense) {
  std::vector<std::int32_t> memory(24);
  const named_view<std::int32_t, axes<"seq">> positions(memory.data(), {8}, {});
  EXPECT_EQ(&positions(7), memory.data() + 7);
  const named_view<std::int32_t, axes<"heads", "seq", "kv_seq">> view(memory.data(), {2, 3, 4}, {});
  EXPECT_EQ(view.strides(), (sizes3{12, 4, 1}));
  const named_view<std::int32_t, axes<"heads", "seq">> repeated(memory.data(), {2, 3}, {0, 0});
  EXPECT_EQ(repeated.strides(), (std::array<std::int64_t, 2>{0, 0}));
}

TEST(NamedView, TakesSizesAndStridesOfAnyIntegerType) {
  std::vector<float> memory(24);
  const std::size_t heads = 2;
  const std::int32_t tokens = 3;
  const named_view<float, axes<"heads", "seq", "kv_seq">> view(memory.data(), {heads, tokens, 4L}, {tokens * 4, 4U, 1});
  EXPECT_EQ(view.sizes(), (sizes3{2, 3, 4}));
  EXPECT_EQ(view.strides(), (sizes3{12, 4, 1}));
  const std::array<std::int64_t, 2> sizes{4, 6};
  const std::array<std::int64_t, 2> strides{1, 4};
  const named_view<float, axes<"seq", "kv_seq">> turned(memory.data(), sizes, strides);
  EXPECT_EQ(turned.sizes(), sizes);
  EXPECT_EQ(turned.strides(), strides);
  EXPECT_EQ((named_array<float, axes<"seq", "kv_seq">>(sizes).view().strides()), (std::array<std::int64_t, 2>{6, 1}));
}

TEST(NamedView, IndexesOfAnyIntegerType) {
  std::vector<std::int32_t> memory(6);
  const named_view<std::int32_t, axes<"batch", "seq">> view(memory.data(), {2, 3});
  EXPECT_EQ(&view(std::size_t{1}, std::int8_t{2}), memory.data() + 5);
}

TEST(NamedView, OffsetsAreOf64Bits) {
  float element = 0;
  // 2^31 rows of 2 elements, all of them the same one: nothing is read beyond it.
  const named_view<float, axes<"seq", "kv_seq">> view(&element, {std::int64_t{1} << 31, 2}, {0, 0});
  EXPECT_EQ(&view((std::int64_t{1} << 31) - 1, 1), &element);
  const named_view<float, axes<"heads", "seq", "kv_seq">> large(&element, {32, 8192, 8192});
  EXPECT_EQ(large.erased().element_count(), std::int64_t{1} << 31);
  EXPECT_EQ(large.strides()[0], std::int64_t{1} << 26);
}

TEST(NamedView, OfNoAxesIsOneElement) {
  double element = 3;
  const named_view<double, axes<>> view(&element, {});
  EXPECT_EQ(view(), 3);
  EXPECT_EQ(view.erased().element_count(), 1);
  EXPECT_TRUE(view.erased().axes().empty());
}

// An index for each axis: no more, no fewer, whole numbers only.
template <class View, class... Index>
concept indexable = requires(const View& view, Index... index) { view(index...); };
using matrix = named_view<float, axes<"seq", "kv_seq">>;
static_assert(indexable<matrix, int, int>);
static_assert(!indexable<matrix, int>);
static_assert(!indexable<matrix, int, int, int>);
static_assert(!indexable<matrix, int, double>);

// Const is a matter of the elements.
static_assert(std::is_same_v<decltype(std::declval<const matrix&>()(0, 0)), float&>);
static_assert(std::is_same_v<decltype(std::declval<named_view<const float, axes<"seq">>&>()(0)), const float&>);

TEST(NamedView, ErasedHasTheNamesAtRunTime) {
  std::vector<std::int64_t> memory(6);
  const named_view<const std::int64_t, axes<"batch", "seq">> view(memory.data(), {2, 3}, {4, 1});
  const any_view erased = view.erased();
  EXPECT_EQ(erased.data(), memory.data());
  EXPECT_EQ(erased.type(), dtype::int64);
  ASSERT_EQ(erased.axes().size(), 2U);
  EXPECT_EQ(erased.axes()[0].name, "batch");
  EXPECT_EQ(erased.axes()[0].size, 2);
  EXPECT_EQ(erased.axes()[0].stride, 4);
  EXPECT_EQ(erased.axes()[1].name, "seq");
  EXPECT_EQ(erased.axes()[1].size, 3);
  EXPECT_EQ(erased.axes()[1].stride, 1);
  EXPECT_EQ(erased.element_count(), 6);
}

TEST(NamedArray, OwnsDenseMemory) {
  named_array<float, axes<"seq", "kv_seq">> array({3, 4});
  EXPECT_EQ(array.element_count(), 12U);
  EXPECT_EQ(array.view().sizes(), (std::array<std::int64_t, 2>{3, 4}));
  EXPECT_EQ(array.view().strides(), (std::array<std::int64_t, 2>{4, 1}));
  array(2, 3) = 7;
  EXPECT_EQ(array.data()[11], 7);
  EXPECT_EQ(std::as_const(array)(2, 3), 7);
  EXPECT_EQ(array.view().data(), array.data());
  EXPECT_EQ(std::as_const(array).view().data(), array.data());
}

TEST(NamedArray, MovesItsMemory) {
  named_array<float, axes<"seq">> array({3});
  float* const memory = array.data();
  const named_array<float, axes<"seq">> moved = std::move(array);
  EXPECT_EQ(moved.data(), memory);
}

TEST(NamedArray, MayBeEmpty) {
  const named_array<float, axes<"heads", "seq", "kv_seq">> array({4, 0, 8});
  EXPECT_EQ(array.element_count(), 0U);
  EXPECT_EQ(array.view().size<"kv_seq">(), 8);
  EXPECT_EQ(array.view().erased().element_count(), 0);
}

// The elements of a const array are const.
using vector_of_floats = named_array<float, axes<"seq">>;
static_assert(std::is_same_v<decltype(std::declval<vector_of_floats&>().view()), named_view<float, axes<"seq">>>);
static_assert(
    std::is_same_v<decltype(std::declval<const vector_of_floats&>().view()), named_view<const float, axes<"seq">>>);
static_assert(std::is_same_v<decltype(std::declval<const vector_of_floats&>().data()), const float*>);
static_assert(std::is_same_v<decltype(as_view(std::declval<vector_of_floats&>())), named_view<float, axes<"seq">>>);
static_assert(
    std::is_same_v<decltype(as_view(std::declval<const vector_of_floats&>())), named_view<const float, axes<"seq">>>);
static_assert(std::is_same_v<decltype(as_view(std::declval<const matrix&>())), matrix>);

// What a layer can be called on.
static_assert(named<matrix> && named<const matrix> && named<vector_of_floats> && named<const vector_of_floats>);
static_assert(!named<float*> && !named<std::vector<float>> && !named<any_view>);

TEST(AnyView, HoldsWhatItIsGiven) {
  std::vector<float> memory(100);
  const any_view view(memory.data(), dtype::float32, {{"seq", 3, 20}, {"kv_seq", 4, -1}});
  EXPECT_EQ(view.data(), memory.data());
  EXPECT_EQ(view.type(), dtype::float32);
  ASSERT_EQ(view.axes().size(), 2U);
  EXPECT_EQ(view.axes()[0].stride, 20);
  EXPECT_EQ(view.axes()[1].stride, -1);
  EXPECT_EQ(view.element_count(), 12);
}

TEST(AnyView, KnowsWhetherItMayBeWritten) {
  std::vector<float> memory(4);
  const std::vector<float>& constant = memory;
  EXPECT_FALSE(any_view(memory.data(), dtype::float32, {{"seq", 4}}).is_const());
  EXPECT_TRUE(any_view(constant.data(), dtype::float32, {{"seq", 4}}).is_const());
  const void* const somewhere = memory.data();
  EXPECT_TRUE(any_view(somewhere, dtype::float32, {{"seq", 4}}).is_const());
  EXPECT_FALSE(any_view(nullptr, dtype::float32, {{"seq", 0}}).is_const());

  // Of an array with names, too; it becomes an any_view by itself.
  vector_of_floats array({4});
  const named_view<const float, axes<"seq">> read_only = array.view();
  for (const any_view& view : {any_view(array), array.erased(), any_view(array.view())}) {
    EXPECT_EQ(view.data(), array.data());
    EXPECT_FALSE(view.is_const());
  }
  for (const any_view& view : {any_view(std::as_const(array)), std::as_const(array).erased(), any_view(read_only)}) {
    EXPECT_EQ(view.data(), array.data());
    EXPECT_TRUE(view.is_const());
  }
}

TEST(AnyView, SizesAreIntegersOfAnyType) {
  const std::size_t size = 3;
  const any_view view(nullptr, dtype::float32, {{"seq", size, 4U}, {"kv_seq", 4, std::ptrdiff_t{1}}});
  EXPECT_EQ(view.axes()[0].size, 3);
  EXPECT_EQ(view.axes()[0].stride, 4);
}

TEST(NamedView, ToReadFromComesFromOneToWriteTo) {
  static_assert(std::is_convertible_v<named_view<float, axes<"seq">>, named_view<const float, axes<"seq">>>);
  static_assert(!std::is_convertible_v<named_view<const float, axes<"seq">>, named_view<float, axes<"seq">>>);
  static_assert(!std::is_convertible_v<named_view<float, axes<"seq">>, named_view<const float, axes<"kv_seq">>>);
  static_assert(!std::is_convertible_v<named_view<float, axes<"seq">>, named_view<const int, axes<"seq">>>);
  std::array<std::int64_t, 4> windows{1, 2, 3, 4};
  const named_view<std::int64_t, axes<"heads">> view(windows.data(), {2}, {2});
  const named_view<const std::int64_t, axes<"heads">> counts = view.in_device_memory();
  EXPECT_EQ(counts(1), 3);
  EXPECT_EQ(counts.strides()[0], 2);
  EXPECT_TRUE(counts.erased().is_in_device_memory());
}

// An engine's 16-bit floats under another name.
TEST(NamedView, OfHalvesThatAreKeptAsIntegers) {
  std::array<std::uint16_t, 3> memory{1, 2, 3};
  void* const somewhere = memory.data();
  const void* const constant = memory.data();
  const named_view<float16, axes<"seq">> halves(as_float16(memory.data()), {3});
  const named_view<bfloat16, axes<"seq">> brains(as_bfloat16(somewhere), {3});
  const named_view<const bfloat16, axes<"seq">> to_read(as_bfloat16(constant), {3});
  EXPECT_EQ(halves.erased().type(), dtype::float16);
  EXPECT_EQ(brains.erased().type(), dtype::bfloat16);
  EXPECT_EQ(to_read.erased().data(), memory.data());
  static_assert(std::is_same_v<decltype(as_float16(std::declval<const std::uint16_t*>())), const float16*>);
  static_assert(!memory_of_halves<float> && !memory_of_halves<char>);
}

TEST(AnyView, OfNothingIsOneElementOfNoMemory) {
  const any_view view;
  EXPECT_EQ(view.data(), nullptr);
  EXPECT_TRUE(view.axes().empty());
}

TEST(AnyView, DenseStridesAreCs) {
  std::vector<double> memory(24);
  const std::vector<named_axis> sizes{{"heads", 2, 99}, {"seq", 3, 99}, {"kv_seq", 4, 99}};
  const any_view view = any_view::dense(memory.data(), dtype::float64, sizes);
  EXPECT_EQ(view.type(), dtype::float64);
  ASSERT_EQ(view.axes().size(), 3U);
  EXPECT_EQ(view.axes()[0].stride, 12);
  EXPECT_EQ(view.axes()[1].stride, 4);
  EXPECT_EQ(view.axes()[2].stride, 1);
  EXPECT_EQ(view.element_count(), 24);
}

TEST(AnyView, DenseMayBeEmpty) {
  const std::vector<named_axis> sizes{{"seq", 0}, {"kv_seq", 4}};
  EXPECT_EQ(any_view::dense(nullptr, dtype::float32, sizes).element_count(), 0);
}

TEST(AnyView, WithoutStridesIsDense) {
  std::vector<std::int32_t> memory(24);
  const any_view positions(memory.data(), dtype::int32, {{"seq", 8}});
  EXPECT_EQ(positions.axes()[0].stride, 1);
  const any_view view(memory.data(), dtype::int32, {{"heads", 2}, {"seq", 3}, {"kv_seq", 4}});
  EXPECT_EQ(view.axes()[0].stride, 12);
  EXPECT_EQ(view.axes()[1].stride, 4);
  EXPECT_EQ(view.axes()[2].stride, 1);
  const any_view repeated(memory.data(), dtype::int32, {{"batch", 2, 0}, {"seq", 3, 0}});
  EXPECT_EQ(repeated.axes()[0].stride, 0);
  EXPECT_EQ(repeated.axes()[1].stride, 0);
}

TEST(AnyView, RefusesStridesForSomeAxesOnly) {
  for (const std::size_t without : {0U, 1U}) {
    std::vector<named_axis> axes{{"batch", 2, 0}, {"seq", 8, 1}};
    axes[without].stride = named_axis::no_stride;
    try {
      const any_view view(nullptr, dtype::int32, axes);
      FAIL() << "a stride was missing";
    } catch (const error& wrong) {
      EXPECT_EQ(wrong.id(), "array-strides");
      EXPECT_EQ(std::string(wrong.what()),
                "axismask: error[array-strides] array: its axis \"" + std::string(axes[without].name) +
                    "\" has no stride, and another axis has one; give each axis a stride, or none for an array in C "
                    "order");
    }
    EXPECT_EQ(any_view::dense(nullptr, dtype::int32, axes).axes()[0].stride, 8);
  }
}

TEST(AnyView, CountsElementsIn64Bits) {
  EXPECT_EQ(
      any_view(nullptr, dtype::float32, {{"heads", 32, 0}, {"seq", 65536, 0}, {"kv_seq", 65536, 0}}).element_count(),
      std::int64_t{1} << 37);
}

TEST(AnyView, TakesSixteenAxesAndNoMore) {
  std::vector<named_axis> axes(any_view::max_rank, {"axis", 1, 1});
  EXPECT_EQ(any_view(nullptr, dtype::float32, axes).axes().size(), 16U);
  axes.push_back({"one_more", 1, 1});
  try {
    const any_view view(nullptr, dtype::float32, axes);
    FAIL() << "17 axes were taken";
  } catch (const error& wrong) {
    EXPECT_EQ(wrong.id(), "array-rank");
    EXPECT_STREQ(wrong.what(),
                 "axismask: error[array-rank] array: it has 17 axes, and at most 16 are possible; fold axes that lie "
                 "next to each other in memory into one");
  }
}

}  // namespace
}  // namespace axismask
