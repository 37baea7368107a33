// expect: ApplyCausalSlidingWindowAttentionMask(logits): the logits have no axis \"keys\"; they have \"heads\", \"seq\", \"kv_seq\"; give that axis of the logits this name, or the logits\' own name to the layer\'s kv_seq_axis
// expect clang: axismask::text<5>{"keys"}, axismask::axes<axismask::text<6>{"heads"}, axismask::text<4>{"seq"}, axismask::text<7>{"kv_seq"}>>': axismask: the logits require the layer's axes; give that axis of the logits this name, or the logits' own name to the layer's attribute
// A layer that is given another name for its key/value axis than the logits have.
#include <cstdint>

#include "axismask/causal_sliding_window.hpp"

using namespace axismask;

#ifdef AXISMASK_EXPECT_FAIL
using layer_type_used =
    ApplyCausalSlidingWindowAttentionMask<count, "token_positions", "token_positions", "seq", "keys">;
#else
using layer_type_used =
    ApplyCausalSlidingWindowAttentionMask<count, "token_positions", "token_positions", "seq", "kv_seq">;
#endif

auto attend(const named_array<float, axes<"heads", "seq", "kv_seq">>& logits,
            const named_array<std::int32_t, axes<"seq">>& positions) {
  const layer_type_used layer{.masked_out_value = -1e30, .sliding_window_size = 512};
  return layer(logits, input<"token_positions">(positions));
}
