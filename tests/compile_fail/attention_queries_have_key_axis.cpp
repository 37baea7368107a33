// expect: ApplyCausalAttentionMask(queries): it has the mask\'s key axis \"kv_seq\"; it has \"heads\", \"seq\", \"kv_seq\", \"projection\"; rename it: keys have that axis
// expect clang: queries_lack_key_axis<axismask::ApplyCausalAttentionMask<axismask::text<16>{"token_positions"}, axismask::text<16>{"token_positions"}, axismask::text<4>{"seq"}, axismask::text<7>{"kv_seq"}>, axismask::text<7>{"kv_seq"}, axismask::axes<axismask::text<6>{"heads"}, axismask::text<4>{"seq"}, axismask::text<7>{"kv_seq"}, axismask::text<11>{"projection"}>>': axismask: queries require to be without the mask's key axis; rename it: keys have that axis
// Attention with queries that have the mask's key axis.
#include <cstdint>

#include "axismask/attention.hpp"
#include "axismask/causal.hpp"

using namespace axismask;

#ifdef AXISMASK_EXPECT_FAIL
using query_array = named_array<float, axes<"heads", "seq", "kv_seq", "projection">>;
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
