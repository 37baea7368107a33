// expect: ApplyCausalSlidingWindowAttentionMask(logits): logits are floats, and this array holds int32; give float16, bfloat16, float32 or float64
// expect clang: logits_are_floats<axismask::ApplyCausalSlidingWindowAttentionMask<axismask::count, axismask::text<16>{"token_positions"}, axismask::text<16>{"token_positions"}, axismask::text<4>{"seq"}, axismask::text<7>{"kv_seq"}>, int>': axismask: logits require floats; give float16, bfloat16, float32 or float64
// Logits of integers.
#include <cstdint>

#include "axismask/causal_sliding_window.hpp"

using namespace axismask;

#ifdef AXISMASK_EXPECT_FAIL
using logit = std::int32_t;
#else
using logit = float;
#endif

void attend(named_array<logit, axes<"heads", "seq", "kv_seq">>& logits,
            const named_array<std::int32_t, axes<"seq">>& positions) {
  const ApplyCausalSlidingWindowAttentionMask<> layer{.masked_out_value = -1000, .sliding_window_size = 512};
  layer.apply_in_place(logits, input<"token_positions">(positions));
}
