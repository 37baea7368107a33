// expect: from_attributes(ApplyCausalSlidingWindowAttentionMask): the field \"kv_seq_axis\" is given twice; leave one of them out
// expect clang: axismask::plain_name<axismask::text<7>{"kv_seq"}>>>': axismask: from_attributes requires each field once; leave one of them out
// A layer of its fields, of which one is given twice.
#include "axismask/causal_sliding_window.hpp"
#include "axismask/structure.hpp"

using namespace axismask;

using seed = ApplyCausalSlidingWindowAttentionMask<>;

auto make() {
  return from_attributes<seed>(
      field<"masked_out_value">(-1e9), field<"sliding_window_size">(512),
      field<"query_positions_input_name", "token_positions">(), field<"kv_positions_input_name", "token_positions">(),
#ifdef AXISMASK_EXPECT_FAIL
      field<"seq_axis", "seq">(), field<"kv_seq_axis", "kv_seq">(), field<"kv_seq_axis", "kv_seq">());
#else
      field<"seq_axis", "seq">(), field<"kv_seq_axis", "kv_seq">());
#endif
}
