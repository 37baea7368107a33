// expect: ApplyCausalSlidingWindowAttentionMask(side inputs): an array without a name is given; the layer takes \"token_positions\"; write input<\"token_positions\">(array)
// expect clang: axismask::named_view<int, axismask::axes<axismask::text<4>{"seq"}>>>': axismask: a call requires each side input with its name; write input<name>(array)
// Positions as they are, without input<"...">.
#include <cstdint>

#include "axismask/causal_sliding_window.hpp"

using namespace axismask;

auto attend(const named_view<float, axes<"heads", "seq", "kv_seq">>& logits,
            const named_view<std::int32_t, axes<"seq">>& positions) {
  const ApplyCausalSlidingWindowAttentionMask<> layer{.masked_out_value = -1e30, .sliding_window_size = 512};
#ifdef AXISMASK_EXPECT_FAIL
  return layer(logits, positions);
#else
  return layer(logits, input<"token_positions">(positions));
#endif
}
