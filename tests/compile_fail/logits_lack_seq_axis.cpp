// expect: ApplyCausalSlidingWindowAttentionMask(logits): the logits have no axis \"seq\"; they have \"heads\", \"query\", \"kv_seq\"; give that axis of the logits this name, or the logits\' own name to the layer\'s seq_axis
// expect clang: axismask::text<4>{"seq"}, axismask::axes<axismask::text<6>{"heads"}, axismask::text<6>{"query"}, axismask::text<7>{"kv_seq"}>>': axismask: the logits require the layer's axes; give that axis of the logits this name, or the logits' own name to the layer's attribute
// Logits that call their query axis by another name than the layer.
#include <cstdint>

#include "axismask/causal_sliding_window.hpp"

using namespace axismask;

#ifdef AXISMASK_EXPECT_FAIL
using logits_axes = axes<"heads", "query", "kv_seq">;
#else
using logits_axes = axes<"heads", "seq", "kv_seq">;
#endif

auto attend(const named_array<float, logits_axes>& logits, const named_array<std::int32_t, axes<"seq">>& positions) {
  const ApplyCausalSlidingWindowAttentionMask<> layer{.masked_out_value = -1e30, .sliding_window_size = 512};
  return layer(logits, input<"token_positions">(positions));
}
