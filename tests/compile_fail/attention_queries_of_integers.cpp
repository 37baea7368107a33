// expect: ApplyCausalAttentionMask(queries): it holds int32; give float, float16 or bfloat16
// expect clang: attention_holds<axismask::ApplyCausalAttentionMask<axismask::text<16>{"token_positions"}, axismask::text<16>{"token_positions"}, axismask::text<4>{"seq"}, axismask::text<7>{"kv_seq"}>, axismask::text<8>{"queries"}, int>': axismask: attention requires floats; give float, float16 or bfloat16
// Attention with queries of integers.
#include <cstdint>

#include "axismask/attention.hpp"
#include "axismask/causal.hpp"

using namespace axismask;

#ifdef AXISMASK_EXPECT_FAIL
using query_array = named_array<std::int32_t, axes<"heads", "seq", "projection">>;
#else
using query_array = named_array<float, axes<"heads", "seq", "projection">>;
#endif

void attend_here(const query_array& queries, const named_array<float, axes<"kv_seq", "projection">>& keys,
                 const named_array<float, axes<"kv_seq", "projection">>& values,
                 named_array<float, axes<"heads", "seq", "projection">>& out,
                 const named_array<std::int32_t, axes<"seq">>& positions) {
  const ApplyCausalAttentionMask<> layer{.masked_out_value = -1e30};
  attend_to(layer, queries, keys, values, out, input<"token_positions">(positions));
}
