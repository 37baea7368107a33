// expect: ApplyCausalSlidingWindowAttentionMask(result): its axes are \"seq\", \"kv_seq\", and the logits\' \"heads\", \"seq\", \"kv_seq\"; give an array with the logits\' axes, in any order
// expect clang: axismask::axes<axismask::text<4>{"seq"}, axismask::text<7>{"kv_seq"}>, axismask::axes<axismask::text<6>{"heads"}, axismask::text<4>{"seq"}, axismask::text<7>{"kv_seq"}>>': axismask: the result requires the logits' axes; give an array with the same axes, in any order
// A result without one of the logits' axes.
#include <cstdint>

#include "axismask/causal_sliding_window.hpp"

using namespace axismask;

#ifdef AXISMASK_EXPECT_FAIL
using result = named_array<float, axes<"seq", "kv_seq">>;
#else
using result = named_array<float, axes<"seq", "heads", "kv_seq">>;
#endif

void attend(const named_array<float, axes<"heads", "seq", "kv_seq">>& logits, result& out,
            const named_array<std::int32_t, axes<"seq">>& positions) {
  const ApplyCausalSlidingWindowAttentionMask<> layer{.masked_out_value = -1e30, .sliding_window_size = 512};
  layer.apply(logits, out, input<"token_positions">(positions));
}
