// expect: ApplyCausalSlidingWindowAttentionMask(options): options stand after or in the place of an array; give them first: layer.apply(options, logits, ...)
// expect clang: axismask::text<8>{"options"}, axismask::call_options>': axismask: options come first in a call; write layer.apply(options, logits, ...)
// Options after the arrays.
#include <cstdint>

#include "axismask/causal_sliding_window.hpp"

using namespace axismask;

auto attend(const named_view<float, axes<"heads", "seq", "kv_seq">>& logits,
            const named_view<std::int32_t, axes<"seq">>& positions) {
  const ApplyCausalSlidingWindowAttentionMask<> layer{.masked_out_value = -1e30, .sliding_window_size = 512};
#ifdef AXISMASK_EXPECT_FAIL
  return layer(logits, input<"token_positions">(positions), call_options{.threads = 4});
#else
  return layer(call_options{.threads = 4}, logits, input<"token_positions">(positions));
#endif
}
