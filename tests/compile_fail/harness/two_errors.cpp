// expect: ApplyCausalSlidingWindowAttentionMask(logits): the logits have no axis \"kv_seq\"; they have \"heads\", \"seq\", \"kv_sek\"; rename \"kv_sek\" to \"kv_seq\", or set the layer\'s kv_seq_axis to \"kv_sek\"
// expect clang: axismask::text<7>{"kv_sek"}>>': axismask: the logits require the layer's axes; give that axis of the logits this name
// The mistake is there and so is the text, but a second mistake gives a second error.
#include <cstdint>

#include "axismask/causal_sliding_window.hpp"

using namespace axismask;

#ifdef AXISMASK_EXPECT_FAIL
using logits_axes = axes<"heads", "seq", "kv_sek">;
int second = axis_that_nobody_declared;
#else
using logits_axes = axes<"heads", "seq", "kv_seq">;
#endif

auto attend(const named_array<float, logits_axes>& logits, const named_array<std::int32_t, axes<"seq">>& positions) {
  const ApplyCausalSlidingWindowAttentionMask<> layer{.masked_out_value = -1e30, .sliding_window_size = 512};
  return layer(logits, input<"token_positions">(positions));
}
