// expect: ApplyCausalSlidingWindowAttentionMask(token_positions): its axis \"batc\" is none of the logits\'; they have \"batch\", \"heads\", \"seq\", \"kv_seq\" (did you mean \"batch\"?); rename the axis, or take it out of the array
// expect clang: axismask::text<16>{"token_positions"}, axismask::text<5>{"batc"}, axismask::axes<axismask::text<6>{"batch"}, axismask::text<6>{"heads"}, axismask::text<4>{"seq"}, axismask::text<7>{"kv_seq"}>>': axismask: each axis of a side input or parameter requires the logits to have it; rename the axis, or take it out of the array
// Positions with an axis that the logits do not have: penzai would broadcast it, silently.
#include <cstdint>

#include "axismask/causal_sliding_window.hpp"

using namespace axismask;

#ifdef AXISMASK_EXPECT_FAIL
using positions_array = named_array<std::int32_t, axes<"batc", "seq">>;
#else
using positions_array = named_array<std::int32_t, axes<"batch", "seq">>;
#endif

auto attend(const named_array<float, axes<"batch", "heads", "seq", "kv_seq">>& logits,
            const positions_array& positions) {
  const ApplyCausalSlidingWindowAttentionMask<> layer{.masked_out_value = -1e30, .sliding_window_size = 512};
  return layer(logits, input<"token_positions">(positions));
}
