// expect: ApplyCausalSlidingWindowAttentionMask(result): its elements are const; give an array that can be written
// expect clang: result_can_be_written<axismask::ApplyCausalSlidingWindowAttentionMask<axismask::count, axismask::text<16>{"token_positions"}, axismask::text<16>{"token_positions"}, axismask::text<4>{"seq"}, axismask::text<7>{"kv_seq"}>, const float>': axismask: the result requires memory that can be written; give an array of elements that are not const
// Constant logits, masked in place.
#include <cstdint>

#include "axismask/causal_sliding_window.hpp"

using namespace axismask;

#ifdef AXISMASK_EXPECT_FAIL
using logits_array = const named_array<float, axes<"heads", "seq", "kv_seq">>;
#else
using logits_array = named_array<float, axes<"heads", "seq", "kv_seq">>;
#endif

void attend(logits_array& logits, const named_array<std::int32_t, axes<"seq">>& positions) {
  const ApplyCausalSlidingWindowAttentionMask<> layer{.masked_out_value = -1e30, .sliding_window_size = 512};
  layer.apply_in_place(logits, input<"token_positions">(positions));
}
