// expect: ApplyCausalAttentionMask(sinks): it is given twice; leave one of them out
// expect clang: is_given_at_most_once<axismask::ApplyCausalAttentionMask<axismask::text<16>{"token_positions"}, axismask::text<16>{"token_positions"}, axismask::text<4>{"seq"}, axismask::text<7>{"kv_seq"}>, axismask::text<6>{"sinks"}, 2UL>': axismask: attention requires sinks and log_sum_exp at most once; leave one of them out
// Sinks that are given twice.
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
  attend_to(layer, queries, keys, values, out, sinks(more), sinks(more), input<"token_positions">(positions));
#else
  attend_to(layer, queries, keys, values, out, sinks(more), input<"token_positions">(positions));
#endif
}
