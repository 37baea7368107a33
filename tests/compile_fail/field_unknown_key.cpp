// expect: key_for_field(ApplyCausalSlidingWindowAttentionMask): there is no field \"window\"; the layer has \"masked_out_value\", \"sliding_window_size\", \"query_positions_input_name\", \"kv_positions_input_name\", \"seq_axis\", \"kv_seq_axis\"; name one of these
// expect clang: axismask::text<7>{"window"}>': axismask: a field requires the name of one of the layer's; name one of these
// The key of a field that is not there.
#include "axismask/causal_sliding_window.hpp"
#include "axismask/structure.hpp"

using namespace axismask;

using seed = ApplyCausalSlidingWindowAttentionMask<>;

auto edit(const seed& layer) {
#ifdef AXISMASK_EXPECT_FAIL
  return key_for_field<"window">(layer);
#else
  return key_for_field<"sliding_window_size">(layer);
#endif
}
