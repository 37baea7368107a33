// expect: select(any(ApplyCausalSlidingWindowAttentionMask, ApplyCausalSlidingWindowAttentionMask)): several masks of this composition have a field \"sliding_window_size\"; edit that mask, and compose afterwards
// expect clang: axismask::text<20>{"sliding_window_size"}>': axismask: a field of a composition requires a name that only one of its masks has; edit that mask, and compose afterwards
// A field that two masks of a composition have.
#include "axismask/causal_sliding_window.hpp"
#include "axismask/structure.hpp"

using namespace axismask;

using masks = any_of<ApplyCausalSlidingWindowAttentionMask<>, ApplyCausalSlidingWindowAttentionMask<>>;

auto edit(const masks& layer) {
#ifdef AXISMASK_EXPECT_FAIL
  return select(layer).at<"sliding_window_size">().set(1024);
#else
  return select(layer).at<"masked_out_value">().set(-1e9);
#endif
}
