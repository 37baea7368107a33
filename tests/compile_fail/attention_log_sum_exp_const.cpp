// expect: ApplyCausalAttentionMask(log_sum_exp): its elements are const; give an array that can be written
// expect clang: can_be_written<axismask::ApplyCausalAttentionMask<axismask::text<16>{"token_positions"}, axismask::text<16>{"token_positions"}, axismask::text<4>{"seq"}, axismask::text<7>{"kv_seq"}>, axismask::text<12>{"log_sum_exp"}, const float>': axismask: what attention writes requires memory that can be written; give elements that are not const
// A log_sum_exp that is const.
#include <cstdint>

#include "axismask/attention.hpp"
#include "axismask/causal.hpp"

using namespace axismask;

#ifdef AXISMASK_EXPECT_FAIL
using extra_array = const named_array<float, axes<"heads", "seq">>;
#else
using extra_array = named_array<float, axes<"heads", "seq">>;
#endif

void attend_here(const named_array<float, axes<"heads", "seq", "projection">>& queries,
                 const named_array<float, axes<"kv_seq", "projection">>& keys,
                 const named_array<float, axes<"kv_seq", "projection">>& values,
                 named_array<float, axes<"heads", "seq", "projection">>& out, extra_array& more,
                 const named_array<std::int32_t, axes<"seq">>& positions) {
  const ApplyCausalAttentionMask<> layer{.masked_out_value = -1e30};
  attend_to(layer, queries, keys, values, out, log_sum_exp(more), input<"token_positions">(positions));
}
