// expect: ApplyCausalSlidingWindowAttentionMask requires sliding_window_size to be at least 1; a window of 1 sees the token itself only, and none sees nothing
// expect clang: axismask::constant<0>, axismask::text<16>{"token_positions"}, axismask::text<16>{"token_positions"}, axismask::text<4>{"seq"}, axismask::text<7>{"kv_seq"}>>': axismask: a layer requires its constants to be at least 1; a window of 1 sees the token itself only, and none sees nothing
// A window of no keys, known at compile time.
#include <cstdint>

#include "axismask/causal_sliding_window.hpp"

using namespace axismask;

#ifdef AXISMASK_EXPECT_FAIL
using window = constant<0>;
#else
using window = constant<1>;
#endif

auto attend(const named_array<float, axes<"heads", "seq", "kv_seq">>& logits,
            const named_array<std::int32_t, axes<"seq">>& positions) {
  const ApplyCausalSlidingWindowAttentionMask<window> layer{.masked_out_value = -1e30, .sliding_window_size = {}};
  return layer(logits, input<"token_positions">(positions));
}
