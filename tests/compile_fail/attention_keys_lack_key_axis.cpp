// expect: ApplyCausalAttentionMask(keys): it has no axis \"kv_seq\"; it has \"seq\", \"projection\"; give that axis of the array this name, or the array\'s own name to the layer\'s kv_seq_axis
// expect clang: attention_array_has_axis<axismask::ApplyCausalAttentionMask<axismask::text<16>{"token_positions"}, axismask::text<16>{"token_positions"}, axismask::text<4>{"seq"}, axismask::text<7>{"kv_seq"}>, axismask::text<5>{"keys"}, axismask::text<7>{"kv_seq"}, axismask::axes<axismask::text<4>{"seq"}, axismask::text<11>{"projection"}>>': axismask: queries require the mask's query axis, keys and values its key axis; give that axis of the array this name, or the array's own name to the layer's attribute
// Attention with keys that call their axis as queries do.
#include <cstdint>

#include "axismask/attention.hpp"
#include "axismask/causal.hpp"

using namespace axismask;

#ifdef AXISMASK_EXPECT_FAIL
using key_array = named_array<float, axes<"seq", "projection">>;
#else
using key_array = named_array<float, axes<"kv_seq", "projection">>;
#endif

void attend_here(const named_array<float, axes<"heads", "seq", "projection">>& queries, const key_array& keys,
                 const named_array<float, axes<"kv_seq", "projection">>& values,
                 named_array<float, axes<"heads", "seq", "projection">>& out,
                 const named_array<std::int32_t, axes<"seq">>& positions) {
  const ApplyCausalAttentionMask<> layer{.masked_out_value = -1e30};
  attend_to(layer, queries, keys, values, out, input<"token_positions">(positions));
}
