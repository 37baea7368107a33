// expect: ApplyCausalAttentionMask(queries): it has no axis \"seq\"; it has \"heads\", \"sek\", \"projection\"; rename \"sek\" to \"seq\", or set the layer\'s seq_axis to \"sek\"
// expect clang: attention_array_has_axis<axismask::ApplyCausalAttentionMask<axismask::text<16>{"token_positions"}, axismask::text<16>{"token_positions"}, axismask::text<4>{"seq"}, axismask::text<7>{"kv_seq"}>, axismask::text<8>{"queries"}, axismask::text<4>{"seq"}, axismask::axes<axismask::text<6>{"heads"}, axismask::text<4>{"sek"}, axismask::text<11>{"projection"}>>': axismask: queries require the mask's query axis, keys and values its key axis; give that axis of the array this name, or the array's own name to the layer's attribute
// Attention with queries without the mask's query axis.
#include <cstdint>

#include "axismask/attention.hpp"
#include "axismask/causal.hpp"

using namespace axismask;

#ifdef AXISMASK_EXPECT_FAIL
using query_array = named_array<float, axes<"heads", "sek", "projection">>;
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
