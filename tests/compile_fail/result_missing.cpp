// expect: ApplyCausalSlidingWindowAttentionMask(result): a side input is given here; give the logits first, then the result of apply, then the side inputs
// expect clang: axismask::text<7>{"result"}, axismask::named_input<axismask::text<16>{"token_positions"}, axismask::named_view<int, axismask::axes<axismask::text<4>{"seq"}>>>>': axismask: side inputs come last in a call; give the logits first, then the result of apply, then them
// A call of apply without the array for the result.
#include <cstdint>

#include "axismask/causal_sliding_window.hpp"

using namespace axismask;

auto attend(const named_view<float, axes<"heads", "seq", "kv_seq">>& logits,
            const named_view<std::int32_t, axes<"seq">>& positions) {
  const ApplyCausalSlidingWindowAttentionMask<> layer{.masked_out_value = -1e30, .sliding_window_size = 512};
#ifdef AXISMASK_EXPECT_FAIL
  return layer.apply(logits, input<"token_positions">(positions));
#else
  return layer.apply(logits, logits, input<"token_positions">(positions));
#endif
}
