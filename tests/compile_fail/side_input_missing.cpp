// expect: ApplyCausalSlidingWindowAttentionMask(token_positions): the side input \"token_positions\" is missing; given: none; give it, or set the layer\'s query_positions_input_name
// expect clang: axismask::text<16>{"token_positions"}>': axismask: a call requires every side input of the layer; give it, or set the layer's attribute that names it
// A call without the layer's side input.
#include <cstdint>

#include "axismask/causal_sliding_window.hpp"

using namespace axismask;

auto attend(const named_array<float, axes<"heads", "seq", "kv_seq">>& logits,
            const named_array<std::int32_t, axes<"seq">>& positions) {
  const ApplyCausalSlidingWindowAttentionMask<> layer{.masked_out_value = -1e30, .sliding_window_size = 512};
#ifdef AXISMASK_EXPECT_FAIL
  (void)positions;
  return layer(logits);
#else
  return layer(logits, input<"token_positions">(positions));
#endif
}
