// expect: input(token_positions): it is no array with names for its axes; give a named_view of the memory, with its axes and sizes
// expect clang: axismask::text<16>{"token_positions"}, int *>': axismask: input<name>(array) requires an array with names for its axes; give a named_view of the memory
// Positions that are a pointer.
#include <cstdint>

#include "axismask/causal_sliding_window.hpp"

using namespace axismask;

auto attend(const named_view<float, axes<"heads", "seq", "kv_seq">>& logits,
            const named_view<std::int32_t, axes<"seq">>& positions) {
  const ApplyCausalSlidingWindowAttentionMask<> layer{.masked_out_value = -1e30, .sliding_window_size = 512};
#ifdef AXISMASK_EXPECT_FAIL
  return layer(logits, input<"token_positions">(positions.data()));
#else
  return layer(logits, input<"token_positions">(positions));
#endif
}
