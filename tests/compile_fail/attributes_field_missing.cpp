// expect: from_attributes(ApplyCausalSlidingWindowAttentionMask): the field \"kv_seq_axis\" is missing; give every field of the layer, names too
// expect clang: axismask::plain_name<axismask::text<4>{"seq"}>>>': axismask: from_attributes requires every field of the layer; give it, names too
// A layer of its fields, of which one is missing.
#include "axismask/causal_sliding_window.hpp"
#include "axismask/structure.hpp"

using namespace axismask;

using seed = ApplyCausalSlidingWindowAttentionMask<>;

auto make() {
  return from_attributes<seed>(field<"masked_out_value">(-1e9), field<"sliding_window_size">(512),
                               field<"query_positions_input_name", "token_positions">(),
                               field<"kv_positions_input_name", "token_positions">(),
#ifdef AXISMASK_EXPECT_FAIL
                               field<"seq_axis", "seq">());
#else
                               field<"seq_axis", "seq">(), field<"kv_seq_axis", "kv_seq">());
#endif
}
