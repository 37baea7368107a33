// expect: ApplyCausalSlidingWindowAttentionMask(token_positions): the side input \"token_positions\" is given twice; leave one of them out
// expect clang: axismask: a call requires each side input once; leave one of them out
// The same side input twice.
#include <cstdint>

#include "axismask/causal_sliding_window.hpp"

using namespace axismask;

auto attend(const named_array<float, axes<"heads", "seq", "kv_seq">>& logits,
            const named_array<std::int32_t, axes<"seq">>& positions) {
  const ApplyCausalSlidingWindowAttentionMask<> layer{.masked_out_value = -1e30, .sliding_window_size = 512};
#ifdef AXISMASK_EXPECT_FAIL
  return layer(logits, input<"token_positions">(positions), input<"token_positions">(positions));
#else
  return layer(logits, input<"token_positions">(positions));
#endif
}
