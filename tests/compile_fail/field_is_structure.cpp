// expect: select(ApplyCausalSlidingWindowAttentionMask): \"seq_axis\" is a name, which is structure and no leaf; the leaves are \"masked_out_value\", \"sliding_window_size\"; select one of these; for another name build the layer with from_attributes
// expect clang: axismask::text<9>{"seq_axis"}>': axismask: a selection requires a leaf, and a name is structure; for another name build the layer with from_attributes
// A selection of a name: it is no leaf, in penzai neither.
#include "axismask/causal_sliding_window.hpp"
#include "axismask/structure.hpp"

using namespace axismask;

using seed = ApplyCausalSlidingWindowAttentionMask<>;

auto edit(const seed& layer) {
#ifdef AXISMASK_EXPECT_FAIL
  return select(layer).at<"seq_axis">();
#else
  return select(layer).at<"sliding_window_size">();
#endif
}
