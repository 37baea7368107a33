// expect: ApplyCausalSlidingWindowAttentionMask(logits): the axes of an any_view are known at run time only; give a named_view, or call a layer of a Model
// expect clang: axismask::text<7>{"logits"}, axismask::any_view>': axismask: the axes of an any_view are known at run time only; give a named_view, or call a layer of a Model
// Logits whose axes are known at run time only, for a layer whose axes the compiler knows.
#include <cstdint>

#include "axismask/causal_sliding_window.hpp"

using namespace axismask;

auto attend(const named_view<float, axes<"heads", "seq", "kv_seq">>& logits,
            const named_view<std::int32_t, axes<"seq">>& positions) {
  const ApplyCausalSlidingWindowAttentionMask<> layer{.masked_out_value = -1e30, .sliding_window_size = 512};
#ifdef AXISMASK_EXPECT_FAIL
  return layer(logits.erased(), input<"token_positions">(positions));
#else
  return layer(logits, input<"token_positions">(positions));
#endif
}
