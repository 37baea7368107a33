// expect: select(ApplyCausalSlidingWindowAttentionMask): there is no field \"sliding_windows_size\"; the layer has \"masked_out_value\", \"sliding_window_size\", \"query_positions_input_name\", \"kv_positions_input_name\", \"seq_axis\", \"kv_seq_axis\" (did you mean \"sliding_window_size\"?); name one of these
// expect clang: axismask::text<21>{"sliding_windows_size"}>': axismask: a field requires the name of one of the layer's; name one of these
// A selection of a field that is not there.
#include "axismask/causal_sliding_window.hpp"
#include "axismask/structure.hpp"

using namespace axismask;

using seed = ApplyCausalSlidingWindowAttentionMask<>;

auto edit(const seed& layer) {
#ifdef AXISMASK_EXPECT_FAIL
  return select(layer).at<"sliding_windows_size">().set(1024);
#else
  return select(layer).at<"sliding_window_size">().set(1024);
#endif
}
