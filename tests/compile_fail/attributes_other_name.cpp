// expect: from_attributes(ApplyCausalSlidingWindowAttentionMask): the type of the layer has \"kv_seq\" as its kv_seq_axis; give that name, or name a type of layer that has yours
// expect clang: axismask::plain_name<axismask::text<5>{"keys"}>>': axismask: from_attributes requires values of the fields' types, and the names that are in the layer's type; give such a value, or name the layer's type with your names
// A layer of its fields, of which one has another name than the layer has in its type.
#include "axismask/causal_sliding_window.hpp"
#include "axismask/structure.hpp"

using namespace axismask;

using seed = ApplyCausalSlidingWindowAttentionMask<>;

auto make() {
  return from_attributes<seed>(field<"masked_out_value">(-1e9), field<"sliding_window_size">(512),
                               field<"query_positions_input_name", "token_positions">(),
                               field<"kv_positions_input_name", "token_positions">(),
#ifdef AXISMASK_EXPECT_FAIL
                               field<"seq_axis", "seq">(), field<"kv_seq_axis", "keys">());
#else
                               field<"seq_axis", "seq">(), field<"kv_seq_axis", "kv_seq">());
#endif
}
