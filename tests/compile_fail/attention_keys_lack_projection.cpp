// expect: ApplyCausalAttentionMask(keys): it has no axis \"projection\"; it has \"kv_seq\"; give it that axis, or the call the name of yours: attend<\"name\">(...)
// expect clang: attention_array_has_axis<axismask::ApplyCausalAttentionMask<axismask::text<16>{"token_positions"}, axismask::text<16>{"token_positions"}, axismask::text<4>{"seq"}, axismask::text<7>{"kv_seq"}>, axismask::text<5>{"keys"}, axismask::text<11>{"projection"}, axismask::axes<axismask::text<7>{"kv_seq"}>>': axismask: attention requires the projection axis of queries, keys and values; give the array that axis, or the call the name of yours: attend<name>(...)
// Attention with keys without the projection.
#include <cstdint>

#include "axismask/attention.hpp"
#include "axismask/causal.hpp"

using namespace axismask;

#ifdef AXISMASK_EXPECT_FAIL
using key_array = named_array<float, axes<"kv_seq">>;
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
