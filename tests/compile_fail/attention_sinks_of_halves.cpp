// expect: ApplyCausalAttentionMask(sinks): it holds bfloat16; give float
// expect clang: holds_float32<axismask::ApplyCausalAttentionMask<axismask::text<16>{"token_positions"}, axismask::text<16>{"token_positions"}, axismask::text<4>{"seq"}, axismask::text<7>{"kv_seq"}>, axismask::text<6>{"sinks"}, axismask::bfloat16>': axismask: sinks and log_sum_exp require float32; give float
// Sinks that are no float32.
#include <cstdint>

#include "axismask/attention.hpp"
#include "axismask/causal.hpp"

using namespace axismask;

#ifdef AXISMASK_EXPECT_FAIL
using extra_array = named_array<bfloat16, axes<"heads">>;
#else
using extra_array = named_array<float, axes<"heads", "seq">>;
#endif

void attend_here(const named_array<float, axes<"heads", "seq", "projection">>& queries,
                 const named_array<float, axes<"kv_seq", "projection">>& keys,
                 const named_array<float, axes<"kv_seq", "projection">>& values,
                 named_array<float, axes<"heads", "seq", "projection">>& out, extra_array& more,
                 const named_array<std::int32_t, axes<"seq">>& positions) {
  const ApplyCausalAttentionMask<> layer{.masked_out_value = -1e30};
  attend_to(layer, queries, keys, values, out, sinks(more), input<"token_positions">(positions));
}
