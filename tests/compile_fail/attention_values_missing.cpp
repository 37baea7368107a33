// expect: ApplyCausalAttentionMask(values): it is no array with names for its axes; give a named_view of the memory; queries, keys and values come first, then the result of attend_to, then side inputs, sinks and log_sum_exp
// expect clang: is_attention_array<axismask::ApplyCausalAttentionMask<axismask::text<16>{"token_positions"}, axismask::text<16>{"token_positions"}, axismask::text<4>{"seq"}, axismask::text<7>{"kv_seq"}>, axismask::text<7>{"values"}, float *const>': axismask: attention requires arrays with names for their axes: queries, keys and values, then the result of attend_to, then side inputs, sinks and log_sum_exp; give a named_view of the memory
// Attention without values.
#include <cstdint>

#include "axismask/attention.hpp"
#include "axismask/causal.hpp"

using namespace axismask;

void attend_here(const named_array<float, axes<"heads", "seq", "projection">>& queries,
                 const named_array<float, axes<"kv_seq", "projection">>& keys,
                 const named_array<float, axes<"kv_seq", "projection">>& values,
                 named_array<float, axes<"heads", "seq", "projection">>& out,
                 named_array<float, axes<"heads", "seq">>& more,
                 const named_array<std::int32_t, axes<"seq">>& positions) {
  const ApplyCausalAttentionMask<> layer{.masked_out_value = -1e30};
#ifdef AXISMASK_EXPECT_FAIL
  attend_to(layer, queries, keys, out.data(), out, sinks(more), input<"token_positions">(positions));
#else
  attend_to(layer, queries, keys, values, out, sinks(more), input<"token_positions">(positions));
#endif
}
