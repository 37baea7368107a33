// What the shipped layers keep, read with whole numbers: the semantics that every kernel must have.
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <cstdint>
#include <initializer_list>
#include <limits>

#include "axismask/causal.hpp"
#include "axismask/causal_sliding_window.hpp"
#include "axismask/layer.hpp"
#include "axismask/layer/layer_type.hpp"
#include "wide.hpp"

namespace axismask {
namespace {

constexpr std::int64_t lowest = std::numeric_limits<std::int64_t>::min();
constexpr std::int64_t highest = std::numeric_limits<std::int64_t>::max();

using window = ApplyCausalSlidingWindowAttentionMask<>;
using causal = ApplyCausalAttentionMask<>;

// keeps<window>(query, key, size): a window of 4 sees 4 keys, the query's own included.
static_assert(keeps<window>(5, 5, 4));
static_assert(keeps<window>(5, 4, 4));
static_assert(keeps<window>(5, 3, 4));
static_assert(keeps<window>(5, 2, 4));
static_assert(!keeps<window>(5, 1, 4));
static_assert(!keeps<window>(5, 0, 4));
// Never the future.
static_assert(!keeps<window>(5, 6, 4));
static_assert(!keeps<window>(0, 1, 4));
// A window of 1 sees the query's own key only.
static_assert(keeps<window>(5, 5, 1));
static_assert(!keeps<window>(5, 4, 1));
// A window of none sees nothing; the layers ask for at least 1.
static_assert(!keeps<window>(5, 5, 0));
static_assert(!keeps<window>(5, 5, -1));

// Negative keys are padding, whatever the query.
static_assert(!keeps<window>(5, -1, 100));
static_assert(!keeps<window>(-1, -1, 4));
static_assert(!keeps<window>(0, -1, 4));
static_assert(keeps<window>(0, 0, 4));
// A negative query sees nothing: no key is before it that is not padding.
static_assert(!keeps<window>(-1, 0, 4));
static_assert(!keeps<window>(-1, -2, 4));

// Positions beyond 32 bits.
constexpr std::int64_t far_away = std::int64_t{1} << 40;
static_assert(keeps<window>(far_away + 3, far_away, 4));
static_assert(!keeps<window>(far_away + 4, far_away, 4));
static_assert(!keeps<window>(far_away, far_away + 1, 4));
// Distances that agree in their low 32 bits only.
static_assert(!keeps<window>(far_away + 1, 0, 4));
static_assert(!keeps<window>(std::int64_t{1} << 32, 0, 4));

// The ends of 64 bits, where a distance does not fit.
static_assert(keeps<window>(highest, highest, 1));
static_assert(keeps<window>(highest, 1, highest));
static_assert(!keeps<window>(highest, 0, highest));
static_assert(!keeps<window>(highest, lowest, highest));
static_assert(!keeps<window>(lowest, highest, highest));
static_assert(!keeps<window>(lowest, lowest, highest));

// A window that is part of the type, or one for each head, changes nothing in what is kept.
static_assert(keeps<ApplyCausalSlidingWindowAttentionMask<constant<4>>>(5, 2, 4));
static_assert(!keeps<ApplyCausalSlidingWindowAttentionMask<counts_over<axes<"heads">>>>(5, 1, 4));

static_assert(keeps<causal>(5, 5));
static_assert(keeps<causal>(5, 0));
static_assert(!keeps<causal>(5, 6));
static_assert(!keeps<causal>(5, -1));
static_assert(!keeps<causal>(-1, -1));
static_assert(keeps<causal>(highest, 0));
static_assert(keeps<causal>(highest, highest));
static_assert(!keeps<causal>(lowest, highest));
static_assert(!keeps<causal>(highest, lowest));

// A layer of a user's own: whole numbers and booleans, and chunks of negative positions.
struct ApplyChunkedMask {
  AXISMASK_LAYER(ApplyChunkedMask,
                 (masked_value, masked_out_value),
                 (count, chunk_size),
                 (mask, mask_input_name, "mask"),
                 (query_positions, query_positions_input_name, "token_positions"),
                 (kv_positions, kv_positions_input_name, "token_positions"),
                 (query_axis, seq_axis, "seq"),
                 (kv_axis, kv_seq_axis, "kv_seq"))

  // Side inputs in their order, then the parameter, though it is declared first.
  template <class Boolean, class Position, class Size>
  static constexpr auto keep(Boolean given, Position query, Position key, Size chunk) {
    return given && query >= key && query / chunk == key / chunk;
  }
};
static_assert(keeps<ApplyChunkedMask>(true, 7, 4, 4));
static_assert(!keeps<ApplyChunkedMask>(false, 7, 4, 4));
static_assert(!keeps<ApplyChunkedMask>(true, 7, 3, 4));
static_assert(!keeps<ApplyChunkedMask>(true, 4, 7, 4));
// A boolean is any number but 0.
static_assert(keeps<ApplyChunkedMask>(2, 7, 4, 4));
// The chunk before 0 is as long as the others.
static_assert(keeps<ApplyChunkedMask>(true, -1, -4, 4));
static_assert(!keeps<ApplyChunkedMask>(true, 0, -1, 4));

bool kept(const layer_type& type, std::initializer_list<std::int64_t> operands) {
  return type.keep({operands.begin(), operands.size()});
}

TEST(Keep, TheRecordReadsTheSameLine) {
  EXPECT_TRUE(kept(layer_type_of<window>, {5, 2, 4}));
  EXPECT_FALSE(kept(layer_type_of<window>, {5, 1, 4}));
  EXPECT_TRUE(kept(layer_type_of<causal>, {5, 1}));
  EXPECT_TRUE(kept(layer_type_of<ApplyChunkedMask>, {1, 7, 4, 4}));
  EXPECT_FALSE(kept(layer_type_of<ApplyChunkedMask>, {0, 7, 4, 4}));
}

// The seed's rule in 128 bits.
bool keeps_in_128_bits(std::int64_t query, std::int64_t key, std::int64_t size) {
  const wide distance = wide(query) - wide(key);
  return distance >= 0 && distance < wide(size) && key >= 0;
}

// Keys that are often within the window, or just outside.
rc::Gen<std::int64_t> key_near(std::int64_t query, std::int64_t size) {
  const auto at = [query, size](std::int64_t offset) {
    const wide key = wide(query) - wide(size) + wide(offset);
    return key < lowest ? lowest : key > highest ? highest : static_cast<std::int64_t>(key);
  };
  return rc::gen::oneOf(any_int64(), rc::gen::map(rc::gen::inRange<std::int64_t>(-2, 3), at),
                        rc::gen::map(rc::gen::inRange<std::int64_t>(-2, 3), [query](std::int64_t offset) {
                          return (integer(query) + integer(offset)).value();
                        }));
}

RC_GTEST_PROP(Keep, WindowIsTheSeedsRuleIn128Bits, ()) {
  const std::int64_t query = *any_int64();
  const std::int64_t size = *any_int64();
  const std::int64_t key = *key_near(query, size);
  const bool expected = keeps_in_128_bits(query, key, size);
  RC_CLASSIFY(expected);
  RC_ASSERT(keeps<window>(query, key, size) == expected);
  RC_ASSERT(kept(layer_type_of<window>, {query, key, size}) == expected);
}

RC_GTEST_PROP(Keep, CausalIsAWindowWithoutAnEnd, ()) {
  const std::int64_t query = *any_int64();
  const std::int64_t key = *rc::gen::oneOf(any_int64(), key_near(query, 1));
  RC_ASSERT(keeps<causal>(query, key) == (query >= key && key >= 0));
  RC_PRE(wide(query) - wide(key) < wide(highest));
  RC_ASSERT(keeps<causal>(query, key) == keeps<window>(query, key, highest));
}

// The count that the window's name promises, and off-by-one errors break.
RC_GTEST_PROP(Keep, AWindowSeesItsSizeOfKeys, ()) {
  const auto size = *rc::gen::inRange<std::int64_t>(1, 50);
  const auto query = *rc::gen::inRange<std::int64_t>(0, 200);
  std::int64_t seen = 0;
  for (std::int64_t key = -10; key < 220; ++key) seen += keeps<window>(query, key, size) ? 1 : 0;
  RC_ASSERT(seen == std::min(size, query + 1));
}

}  // namespace
}  // namespace axismask
