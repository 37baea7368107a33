// expect: ApplyCausalAttentionMask(side inputs): an array or an option is given that says not what it is; write input<\"name\">(array), sinks(array) or log_sum_exp(array), and options first: attend(options, layer, ...)
// expect clang: is_attention_input<axismask::ApplyCausalAttentionMask<axismask::text<16>{"token_positions"}, axismask::text<16>{"token_positions"}, axismask::text<4>{"seq"}, axismask::text<7>{"kv_seq"}>, axismask::named_array<float, axismask::axes<axismask::text<6>{"heads"}, axismask::text<4>{"seq"}>>>': axismask: what follows the arrays of attention requires a word that says what it is; write input<name>(array), sinks(array) or log_sum_exp(array), and options first
// Sinks as they are, without sinks(...).
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
  attend_to(layer, queries, keys, values, out, more, input<"token_positions">(positions));
#else
  attend_to(layer, queries, keys, values, out, sinks(more), input<"token_positions">(positions));
#endif
}
