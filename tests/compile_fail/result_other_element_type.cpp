// expect: ApplyCausalSlidingWindowAttentionMask(result): it holds float64, and the logits float32; give an array of the logits\' element type
// expect clang: double, float>': axismask: the result requires the logits' element type; give an array of that type
// A result of another element type than the logits'.
#include <cstdint>

#include "axismask/causal_sliding_window.hpp"

using namespace axismask;

#ifdef AXISMASK_EXPECT_FAIL
using result = named_array<double, axes<"seq", "heads", "kv_seq">>;
#else
using result = named_array<float, axes<"seq", "heads", "kv_seq">>;
#endif

void attend(const named_array<float, axes<"heads", "seq", "kv_seq">>& logits, result& out,
            const named_array<std::int32_t, axes<"seq">>& positions) {
  const ApplyCausalSlidingWindowAttentionMask<> layer{.masked_out_value = -1e30, .sliding_window_size = 512};
  layer.apply(logits, out, input<"token_positions">(positions));
}
