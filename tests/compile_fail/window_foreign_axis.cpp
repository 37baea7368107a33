// expect: ApplyCausalSlidingWindowAttentionMask(sliding_window_size): its axis \"heds\" is none of the logits\'; they have \"heads\", \"seq\", \"kv_seq\" (did you mean \"heads\"?); rename the axis, or take it out of the array
// expect clang: axismask::text<20>{"sliding_window_size"}, axismask::text<5>{"heds"}, axismask::axes<axismask::text<6>{"heads"}, axismask::text<4>{"seq"}, axismask::text<7>{"kv_seq"}>>': axismask: each axis of a side input or parameter requires the logits to have it; rename the axis, or take it out of the array
// A window for each head, over an axis that the logits do not have.
#include <cstdint>

#include "axismask/causal_sliding_window.hpp"

using namespace axismask;

#ifdef AXISMASK_EXPECT_FAIL
using window_axes = axes<"heds">;
#else
using window_axes = axes<"heads">;
#endif

auto attend(const named_array<float, axes<"heads", "seq", "kv_seq">>& logits,
            const named_array<std::int32_t, axes<"seq">>& positions,
            const named_array<std::int64_t, window_axes>& windows) {
  const ApplyCausalSlidingWindowAttentionMask<counts_over<window_axes>> layer{.masked_out_value = -1e30,
                                                                              .sliding_window_size = windows.view()};
  return layer(logits, input<"token_positions">(positions));
}
