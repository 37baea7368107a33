// expect: ApplyCausalAttentionMask(values): it has the mask\'s query axis \"seq\"; it has \"seq\", \"kv_seq\", \"projection\"; keys and values are the same for all queries: rename the axis, or take it out
// expect clang: keys_lack_query_axis<axismask::ApplyCausalAttentionMask<axismask::text<16>{"token_positions"}, axismask::text<16>{"token_positions"}, axismask::text<4>{"seq"}, axismask::text<7>{"kv_seq"}>, axismask::text<7>{"values"}, axismask::text<4>{"seq"}, axismask::axes<axismask::text<4>{"seq"}, axismask::text<7>{"kv_seq"}, axismask::text<11>{"projection"}>>': axismask: keys and values require to be without the mask's query axis, as they are the same for all queries; rename the axis, or take it out
// Attention with values that have the mask's query axis.
#include <cstdint>

#include "axismask/attention.hpp"
#include "axismask/causal.hpp"

using namespace axismask;

#ifdef AXISMASK_EXPECT_FAIL
using value_array = named_array<float, axes<"seq", "kv_seq", "projection">>;
#else
using value_array = named_array<float, axes<"kv_seq", "projection">>;
#endif

void attend_here(const named_array<float, axes<"heads", "seq", "projection">>& queries,
                 const named_array<float, axes<"kv_seq", "projection">>& keys, const value_array& values,
                 named_array<float, axes<"heads", "seq", "projection">>& out,
                 const named_array<std::int32_t, axes<"seq">>& positions) {
  const ApplyCausalAttentionMask<> layer{.masked_out_value = -1e30};
  attend_to(layer, queries, keys, values, out, input<"token_positions">(positions));
}
