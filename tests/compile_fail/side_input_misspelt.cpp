// expect: ApplyCausalSlidingWindowAttentionMask(token_position): there is no side input \"token_position\"; the layer takes \"token_positions\" (did you mean \"token_positions\"?); leave it out, or give it the name that the layer uses
// expect clang: axismask::text<15>{"token_position"}>': axismask: a call requires side inputs that the layer takes; leave it out, or give it the name that the layer uses
// A misspelt side input: unknown to the layer, and the message names the one it takes.
#include <cstdint>

#include "axismask/causal_sliding_window.hpp"

using namespace axismask;

auto attend(const named_array<float, axes<"heads", "seq", "kv_seq">>& logits,
            const named_array<std::int32_t, axes<"seq">>& positions) {
  const ApplyCausalSlidingWindowAttentionMask<> layer{.masked_out_value = -1e30, .sliding_window_size = 512};
#ifdef AXISMASK_EXPECT_FAIL
  return layer(logits, input<"token_position">(positions));
#else
  return layer(logits, input<"token_positions">(positions));
#endif
}
