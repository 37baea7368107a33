// expect: ApplyCausalSlidingWindowAttentionMask(segment_ids): there is no side input \"segment_ids\"; the layer takes \"token_positions\"; leave it out, or give it the name that the layer uses
// expect clang: axismask::text<12>{"segment_ids"}>': axismask: a call requires side inputs that the layer takes; leave it out, or give it the name that the layer uses
// A side input that the layer does not take, given beside the one that it takes.
#include <cstdint>

#include "axismask/causal_sliding_window.hpp"

using namespace axismask;

auto attend(const named_array<float, axes<"heads", "seq", "kv_seq">>& logits,
            const named_array<std::int32_t, axes<"seq">>& positions) {
  const ApplyCausalSlidingWindowAttentionMask<> layer{.masked_out_value = -1e30, .sliding_window_size = 512};
#ifdef AXISMASK_EXPECT_FAIL
  return layer(logits, input<"token_positions">(positions), input<"segment_ids">(positions));
#else
  return layer(logits, input<"token_positions">(positions));
#endif
}
