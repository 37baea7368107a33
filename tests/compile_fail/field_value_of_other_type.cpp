// expect: select(ApplyCausalSlidingWindowAttentionMask): the value of \"sliding_window_size\" is of another type; give a whole number, count, constant or counts_over
// expect clang: axismask::text<7>{"kv_seq"}>, 1, double>': axismask: a field requires a value that can stand there; give a number, or an attribute of the same part
// A window of a half, which would be none.
#include "axismask/causal_sliding_window.hpp"
#include "axismask/structure.hpp"

using namespace axismask;

using seed = ApplyCausalSlidingWindowAttentionMask<>;

auto edit(const seed& layer) {
#ifdef AXISMASK_EXPECT_FAIL
  return select(layer).at<"sliding_window_size">().set(0.5);
#else
  return select(layer).at<"sliding_window_size">().set(5);
#endif
}
