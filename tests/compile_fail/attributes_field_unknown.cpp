// expect: from_attributes(ApplyCausalSlidingWindowAttentionMask): there is no field \"kv_axis\"; the layer has \"masked_out_value\", \"sliding_window_size\", \"query_positions_input_name\", \"kv_positions_input_name\", \"seq_axis\", \"kv_seq_axis\"; name one of these
// expect clang: axismask::text<8>{"kv_axis"}>': axismask: a field requires the name of one of the layer's; name one of these
// A layer of its fields and another.
#include "axismask/causal_sliding_window.hpp"
#include "axismask/structure.hpp"

using namespace axismask;

using seed = ApplyCausalSlidingWindowAttentionMask<>;

auto make() {
  return from_attributes<seed>(field<"masked_out_value">(-1e9), field<"sliding_window_size">(512),
                               field<"query_positions_input_name", "token_positions">(),
                               field<"kv_positions_input_name", "token_positions">(),
#ifdef AXISMASK_EXPECT_FAIL
                               field<"seq_axis", "seq">(), field<"kv_axis", "kv_seq">());
#else
                               field<"seq_axis", "seq">(), field<"kv_seq_axis", "kv_seq">());
#endif
}
