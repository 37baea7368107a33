// expect: ApplyCausalAttentionMask(token_positions): the side input \"token_positions\" is missing; given: none; give it, or set the layer\'s query_positions_input_name
// expect clang: side_input_is_given<axismask::ApplyCausalAttentionMask<axismask::text<16>{"token_positions"}, axismask::text<16>{"token_positions"}, axismask::text<4>{"seq"}, axismask::text<7>{"kv_seq"}>, axismask::text<16>{"token_positions"}>': axismask: a call requires every side input of the layer; give it, or set the layer's attribute that names it
// Attention without positions.
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
  attend_to(layer, queries, keys, values, out, sinks(more));
#else
  attend_to(layer, queries, keys, values, out, sinks(more), input<"token_positions">(positions));
#endif
}
