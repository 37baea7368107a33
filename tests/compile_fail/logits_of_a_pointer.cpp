// expect: ApplyCausalSlidingWindowAttentionMask(logits): the array has no names for its axes; give a named_view of the memory, with its axes and sizes
// expect clang: axismask::text<7>{"logits"}, float *>': axismask: a call requires arrays with names for their axes; give a named_view of the memory
// Logits that are a pointer.
#include <cstdint>

#include "axismask/causal_sliding_window.hpp"

using namespace axismask;

auto attend(const named_view<float, axes<"heads", "seq", "kv_seq">>& logits,
            const named_view<std::int32_t, axes<"seq">>& positions) {
  const ApplyCausalSlidingWindowAttentionMask<> layer{.masked_out_value = -1e30, .sliding_window_size = 512};
#ifdef AXISMASK_EXPECT_FAIL
  return layer(logits.data(), input<"token_positions">(positions));
#else
  return layer(logits, input<"token_positions">(positions));
#endif
}
