// What each shipped mask keeps, on both sides of every boundary, read with whole numbers: the semantics that every
// kernel must have. The causal mask and the causal window are in keep_test.cpp.
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <array>
#include <cstdint>
#include <limits>
#include <span>
#include <string>
#include <vector>

#include "axismask/compose.hpp"
#include "axismask/layer.hpp"
#include "axismask/layer/layer_type.hpp"
#include "axismask/layers.hpp"
#include "wide.hpp"

namespace axismask {
namespace {

constexpr std::int64_t lowest = std::numeric_limits<std::int64_t>::min();
constexpr std::int64_t highest = std::numeric_limits<std::int64_t>::max();
// Numbers that agree in their low 32 bits.
constexpr std::int64_t turn = std::int64_t{1} << 32;

// ------------------------------------------------------------------------------------------------------- Explicit

// keeps<given>(mask)
using given = ApplyExplicitAttentionMask<>;
static_assert(keeps<given>(true));
static_assert(!keeps<given>(false));

// ------------------------------------------------------------------------------------------ Window to both sides

// keeps<two_sided>(query, key, left, right): 3 keys before the query, 2 after it.
using two_sided = ApplyBidirectionalWindowAttentionMask<>;
static_assert(keeps<two_sided>(10, 10, 3, 2));
static_assert(keeps<two_sided>(10, 7, 3, 2));
static_assert(!keeps<two_sided>(10, 6, 3, 2));
static_assert(keeps<two_sided>(10, 12, 3, 2));
static_assert(!keeps<two_sided>(10, 13, 3, 2));
// No keys on a side, or on both.
static_assert(keeps<two_sided>(10, 10, 0, 2));
static_assert(!keeps<two_sided>(10, 9, 0, 2));
static_assert(keeps<two_sided>(10, 10, 3, 0));
static_assert(!keeps<two_sided>(10, 11, 3, 0));
static_assert(keeps<two_sided>(10, 10, 0, 0));
// Padding is never visible; a query at a negative position sees what its window reaches.
static_assert(keeps<two_sided>(1, 0, 3, 2));
static_assert(!keeps<two_sided>(1, -1, 3, 2));
static_assert(!keeps<two_sided>(-1, -1, 3, 2));
static_assert(keeps<two_sided>(-1, 1, 3, 2));
static_assert(!keeps<two_sided>(-2, 1, 3, 2));
// The ends of 64 bits, where the window's ends do not fit.
static_assert(!keeps<two_sided>(turn + 10, 10, 3, 2));
static_assert(!keeps<two_sided>(10, turn + 10, 3, 2));
static_assert(keeps<two_sided>(highest, highest, 0, 0));
static_assert(keeps<two_sided>(highest, highest, 0, 1));
static_assert(keeps<two_sided>(highest, 0, highest, 0));
static_assert(!keeps<two_sided>(highest, 0, highest - 1, 0));
static_assert(keeps<two_sided>(0, highest, 0, highest));
static_assert(!keeps<two_sided>(0, highest, 0, highest - 1));
static_assert(!keeps<two_sided>(lowest, highest, highest, highest));
static_assert(!keeps<two_sided>(lowest, 0, highest, highest));
static_assert(keeps<two_sided>(lowest + 1, 0, 0, highest));
// Sizes that are part of the type, or one for each head, change nothing in what is kept.
static_assert(keeps<ApplyBidirectionalWindowAttentionMask<constant<3>, counts_over<axes<"heads">>>>(10, 12, 3, 2));
static_assert(!keeps<ApplyBidirectionalWindowAttentionMask<constant<3>, counts_over<axes<"heads">>>>(10, 13, 3, 2));

RC_GTEST_PROP(BidirectionalWindow, IsTheFormulaIn128Bits, ()) {
  const std::int64_t query = *any_int64();
  const std::int64_t key = *any_int64();
  const std::int64_t left = *any_int64();
  const std::int64_t right = *any_int64();
  RC_PRE(left >= 0 && right >= 0);
  const wide distance = wide(query) - wide(key);
  const bool expected = -wide(right) <= distance && distance <= wide(left) && key >= 0;
  RC_CLASSIFY(expected);
  RC_ASSERT(keeps<two_sided>(query, key, left, right) == expected);
}

// -------------------------------------------------------------------------------------------------------- Chunked

// keeps<chunked>(query, key, size): chunks 0-3, 4-7, 8-11.
using chunked = ApplyChunkedAttentionMask<>;
static_assert(keeps<chunked>(7, 7, 4));
static_assert(keeps<chunked>(7, 4, 4));
static_assert(!keeps<chunked>(7, 3, 4));
static_assert(!keeps<chunked>(4, 3, 4));
static_assert(keeps<chunked>(4, 4, 4));
static_assert(!keeps<chunked>(8, 7, 4));
static_assert(keeps<chunked>(3, 0, 4));
// Causal inside the chunk.
static_assert(!keeps<chunked>(4, 5, 4));
static_assert(!keeps<chunked>(7, 8, 4));
// A chunk of 1 is the query's own key.
static_assert(keeps<chunked>(5, 5, 1));
static_assert(!keeps<chunked>(5, 4, 1));
// Padding sees nothing and is not seen, also by the first chunk.
static_assert(!keeps<chunked>(0, -1, 4));
static_assert(!keeps<chunked>(-1, -1, 4));
static_assert(!keeps<chunked>(-1, -4, 4));
static_assert(keeps<chunked>(turn + 3, turn, 4));
static_assert(!keeps<chunked>(turn + 3, 0, 4));
static_assert(keeps<chunked>(highest, highest - 3, 4));
static_assert(!keeps<chunked>(highest, highest - 4, 4));
static_assert(keeps<chunked>(highest - 1, 0, highest));
static_assert(!keeps<chunked>(highest, highest - 1, highest));
static_assert(!keeps<chunked>(lowest, lowest, 3));
static_assert(!keeps<chunked>(lowest, highest, highest));

RC_GTEST_PROP(Chunked, IsTheFormulaOfEqualChunks, ()) {
  const std::int64_t query = *any_int64();
  const std::int64_t size = *any_int64();
  const std::int64_t key =
      *rc::gen::oneOf(any_int64(), rc::gen::map(rc::gen::inRange<std::int64_t>(-9, 10),
                                                [=](auto d) { return (integer(query) + integer(d)).value(); }));
  RC_PRE(size >= 1);
  // Chunks of positions that are not negative, where C++'s own division rounds down.
  const bool expected = query >= key && key >= 0 && query / size == key / size;
  RC_CLASSIFY(expected);
  RC_ASSERT(keeps<chunked>(query, key, size) == expected);
}

// --------------------------------------------------------------------------------------------------- Block-causal

// keeps<blocks>(query, key, size): blocks 0-3, 4-7, 8-11.
using blocks = ApplyBlockCausalAttentionMask<>;
static_assert(keeps<blocks>(0, 0, 4));
static_assert(keeps<blocks>(0, 3, 4));
static_assert(!keeps<blocks>(0, 4, 4));
static_assert(!keeps<blocks>(3, 4, 4));
static_assert(keeps<blocks>(4, 7, 4));
static_assert(!keeps<blocks>(7, 8, 4));
// Every block before its own.
static_assert(keeps<blocks>(11, 0, 4));
static_assert(keeps<blocks>(11, 7, 4));
// A block of 1 is the causal mask.
static_assert(keeps<blocks>(5, 5, 1));
static_assert(keeps<blocks>(5, 0, 1));
static_assert(!keeps<blocks>(5, 6, 1));
// Padding sees nothing and is not seen.
static_assert(!keeps<blocks>(3, -1, 4));
static_assert(!keeps<blocks>(-1, -1, 4));
static_assert(!keeps<blocks>(-1, 0, 4));
static_assert(!keeps<blocks>(3, turn + 3, 4));
static_assert(keeps<blocks>(highest, highest, 4));
static_assert(keeps<blocks>(highest - 3, highest, 4));
static_assert(!keeps<blocks>(highest - 4, highest - 3, 4));
static_assert(keeps<blocks>(0, highest - 1, highest));
static_assert(!keeps<blocks>(0, highest, highest));
static_assert(keeps<blocks>(highest, highest, highest));
static_assert(!keeps<blocks>(lowest, 0, highest));

RC_GTEST_PROP(BlockCausal, IsTheFormulaOfBlocks, ()) {
  const std::int64_t query = *any_int64();
  const std::int64_t size = *any_int64();
  const std::int64_t key =
      *rc::gen::oneOf(any_int64(), rc::gen::map(rc::gen::inRange<std::int64_t>(-9, 10),
                                                [=](auto d) { return (integer(query) + integer(d)).value(); }));
  RC_PRE(size >= 1);
  // C++'s division rounds towards 0, and so does no harm where neither is negative.
  const bool expected = query >= 0 && key >= 0 && key / size <= query / size;
  RC_CLASSIFY(expected);
  RC_ASSERT(keeps<blocks>(query, key, size) == expected);
}

// ---------------------------------------------------------------------------------------------------------- Spans

// keeps<spans>(query, key, query, key, id of the query, id of the key, left, right): Gemma 3 with a sliding_window
// of 4.
using spans =
    all_of<ApplyBidirectionalWindowAttentionMask<>, any_of<ApplyCausalAttentionMask<>, ApplyDocumentAttentionMask<>>>;
constexpr bool sees(std::int64_t query, std::int64_t key, std::int64_t query_id, std::int64_t key_id) {
  return keeps<spans>(query, key, query, key, query_id, key_id, 4 - 1, std::int64_t{1} << 26);
}
// Outside of spans it is the causal window of 4 keys.
static_assert(sees(10, 10, -1, -1));
static_assert(sees(10, 7, -1, -1));
static_assert(!sees(10, 6, -1, -1));
static_assert(!sees(10, 11, -1, -1));
// In a span the keys after the query too, however far, and those before it within the window only.
static_assert(sees(10, 11, 0, 0));
static_assert(sees(10, 10000, 0, 0));
static_assert(sees(10, 7, 0, 0));
static_assert(!sees(10, 6, 0, 0));
static_assert(!sees(10, 11, 0, 1));
static_assert(!sees(10, 11, 0, -1));
static_assert(sees(10, 9, 1, 0));
static_assert(!sees(0, -1, -1, -1));

// ------------------------------------------------------------------------------------------------------ Prefix LM

// keeps<prefix>(query, key, length)
using prefix = ApplyPrefixLmAttentionMask<>;
static_assert(keeps<prefix>(0, 3, 4));
static_assert(!keeps<prefix>(0, 4, 4));
static_assert(!keeps<prefix>(3, 4, 4));
static_assert(keeps<prefix>(4, 4, 4));
static_assert(keeps<prefix>(6, 0, 4));
static_assert(keeps<prefix>(6, 6, 4));
static_assert(!keeps<prefix>(6, 7, 4));
// No prefix: causal.
static_assert(keeps<prefix>(2, 2, 0));
static_assert(!keeps<prefix>(2, 3, 0));
static_assert(!keeps<prefix>(0, 1, -5));
static_assert(!keeps<prefix>(5, -1, 4));
static_assert(!keeps<prefix>(-1, -1, 4));
static_assert(keeps<prefix>(-1, 3, 4));  // a query that is padding
static_assert(keeps<prefix>(lowest, highest - 1, highest));
static_assert(!keeps<prefix>(lowest, highest, highest));
static_assert(!keeps<prefix>(0, turn, 1));

// ------------------------------------------------------------------------------------------------------ Documents

// keeps<documents>(id of the query, id of the key)
using documents = ApplyDocumentAttentionMask<>;
static_assert(keeps<documents>(0, 0));
static_assert(keeps<documents>(7, 7));
static_assert(!keeps<documents>(7, 8));
static_assert(!keeps<documents>(8, 7));
static_assert(!keeps<documents>(-1, -1));
static_assert(!keeps<documents>(-1, 0));
static_assert(!keeps<documents>(0, -1));
static_assert(keeps<documents>(highest, highest));
static_assert(!keeps<documents>(lowest, lowest));
static_assert(!keeps<documents>(1, turn + 1));

// ---------------------------------------------------------------------------------------------------------- Sinks

// keeps<sinks>(key, count)
using sinks = ApplySinksAttentionMask<>;
static_assert(keeps<sinks>(0, 4));
static_assert(keeps<sinks>(3, 4));
static_assert(!keeps<sinks>(4, 4));
static_assert(!keeps<sinks>(-1, 4));
static_assert(keeps<sinks>(0, 1));
static_assert(!keeps<sinks>(1, 1));
static_assert(!keeps<sinks>(turn, 4));
static_assert(!keeps<sinks>(lowest, highest));
static_assert(keeps<sinks>(highest - 1, highest));
static_assert(!keeps<sinks>(highest, highest));

// -------------------------------------------------------------------------------------------------------- Dilated

// keeps<dilated>(query, key, size, dilation): the distances 0, 3 and 6 of a window of 7.
using dilated = ApplyDilatedWindowAttentionMask<>;
static_assert(keeps<dilated>(20, 20, 7, 3));
static_assert(!keeps<dilated>(20, 19, 7, 3));
static_assert(!keeps<dilated>(20, 18, 7, 3));
static_assert(keeps<dilated>(20, 17, 7, 3));
static_assert(!keeps<dilated>(20, 16, 7, 3));
static_assert(keeps<dilated>(20, 14, 7, 3));
static_assert(!keeps<dilated>(20, 14, 6, 3));
static_assert(!keeps<dilated>(20, 11, 7, 3));
static_assert(!keeps<dilated>(20, 11, 9, 3));
static_assert(keeps<dilated>(20, 11, 10, 3));
static_assert(!keeps<dilated>(20, 21, 7, 3));
static_assert(!keeps<dilated>(20, 23, 7, 3));
// A dilation of 1 is the window.
static_assert(keeps<dilated>(20, 14, 7, 1));
static_assert(!keeps<dilated>(20, 13, 7, 1));
// One as long as the window leaves the query's own key.
static_assert(keeps<dilated>(20, 20, 7, 7));
static_assert(!keeps<dilated>(20, 13, 7, 7));
static_assert(keeps<dilated>(3, 0, 7, 3));
static_assert(!keeps<dilated>(2, -1, 7, 3));
static_assert(!keeps<dilated>(-1, -1, 7, 3));
static_assert(keeps<dilated>(highest, 1, highest, highest - 1));
static_assert(keeps<dilated>(highest, 1, highest, 2));
static_assert(!keeps<dilated>(highest, 2, highest, 2));
static_assert(!keeps<dilated>(highest, 0, highest, highest));
static_assert(!keeps<dilated>(highest, lowest, highest, 1));

// -------------------------------------------------------------------------------------------------------- Padding

// keeps<right_padded>(key, length)
using right_padded = ApplyRightPaddingAttentionMask<>;
static_assert(keeps<right_padded>(0, 5));
static_assert(keeps<right_padded>(4, 5));
static_assert(!keeps<right_padded>(5, 5));
static_assert(!keeps<right_padded>(-1, 5));
static_assert(!keeps<right_padded>(0, 0));
static_assert(!keeps<right_padded>(0, -1));
static_assert(!keeps<right_padded>(turn, 5));
static_assert(!keeps<right_padded>(lowest, highest));
static_assert(keeps<right_padded>(highest - 1, highest));

// keeps<left_padded>(key, length, total): the places 3 to 7 of 8.
using left_padded = ApplyLeftPaddingAttentionMask<>;
static_assert(!keeps<left_padded>(0, 5, 8));
static_assert(!keeps<left_padded>(2, 5, 8));
static_assert(keeps<left_padded>(3, 5, 8));
static_assert(keeps<left_padded>(7, 5, 8));
static_assert(!keeps<left_padded>(8, 5, 8));
// No padding, nothing but padding, and a length beyond the total.
static_assert(keeps<left_padded>(0, 8, 8));
static_assert(!keeps<left_padded>(-1, 8, 8));
static_assert(!keeps<left_padded>(7, 0, 8));
static_assert(keeps<left_padded>(0, 9, 8));
static_assert(!keeps<left_padded>(-1, 9, 8));
static_assert(!keeps<left_padded>(turn + 3, 5, 8));
static_assert(keeps<left_padded>(highest - 1, 1, highest));
static_assert(!keeps<left_padded>(highest - 2, 1, highest));
static_assert(!keeps<left_padded>(0, highest, lowest));
static_assert(!keeps<left_padded>(highest, lowest, highest));

// -------------------------------------------------------------------------------------------------------- Records

// How each reads, and in which order its operands come.
struct reading {
  const layer_type& type;
  std::string formula;
};

TEST(Masks, ReadAsTheirLines) {
  const std::vector<reading> readings{
      {layer_type_of<given>, "a"},
      {layer_type_of<two_sided>, "b >= a - c && b <= a + d && b >= 0"},
      {layer_type_of<chunked>, "a >= b && b >= a / c * c && b >= 0"},
      {layer_type_of<blocks>, "b <= a / c * c + (c - 1) && b >= 0"},
      {layer_type_of<prefix>, "(a >= b || b < c) && b >= 0"},
      {layer_type_of<documents>, "a == b && b >= 0"},
      {layer_type_of<sinks>, "a >= 0 && a < b"},
      {layer_type_of<dilated>, "a >= b && a - b <= (c - 1) / d * d && (a - b) % d == 0 && b >= 0"},
      {layer_type_of<right_padded>, "a >= 0 && a < b"},
      {layer_type_of<left_padded>, "a >= c - b && a < c && a >= 0"},
  };
  const std::array<std::string, 4> letters{"a", "b", "c", "d"};
  for (const reading& one : readings) {
    EXPECT_EQ(one.type.formula(std::span(letters).first(one.type.operands.size())), one.formula) << one.type.name;
  }
}

// Its attributes stand in penzai's order: the mask's name first.
TEST(Masks, ExplicitHasPenzaisAttributes) {
  const auto& attributes = layer_type_of<given>.attributes;
  ASSERT_EQ(attributes.size(), 2);
  EXPECT_EQ(attributes[0].name, "mask_input_name");
  EXPECT_EQ(attributes[0].default_name, "mask");
  EXPECT_EQ(attributes[1].name, "masked_out_value");
  EXPECT_EQ(layer_type_of<ApplyExplicitAttentionMask<"visible">>.attributes[0].default_name, "visible");
}

// Only the sides of a window may be none.
TEST(Masks, LowestParameters) {
  for (const attribute_record& attribute : layer_type_of<two_sided>.attributes) {
    const bool is_side = attribute.name == "window_left" || attribute.name == "window_right";
    EXPECT_EQ(attribute.lowest, is_side ? 0 : 1) << attribute.name;
  }
  for (const layer_type* type :
       {&layer_type_of<chunked>, &layer_type_of<blocks>, &layer_type_of<sinks>, &layer_type_of<dilated>,
        &layer_type_of<ApplyCausalSlidingWindowAttentionMask<constant<4>>>,
        &layer_type_of<ApplyBidirectionalWindowAttentionMask<counts_over<axes<"heads">>, constant<1>>>}) {
    for (const attribute_record& attribute : type->attributes) EXPECT_EQ(attribute.lowest, 1) << attribute.name;
  }
}

}  // namespace
}  // namespace axismask
