// expect: ApplyCausalAttentionMask(sinks): its axis \"kv_heads\" is none of the queries\'; they have \"heads\", \"seq\"; rename the axis, or take it out of the array
// expect clang: is_axis_of_queries<axismask::ApplyCausalAttentionMask<axismask::text<16>{"token_positions"}, axismask::text<16>{"token_positions"}, axismask::text<4>{"seq"}, axismask::text<7>{"kv_seq"}>, axismask::text<6>{"sinks"}, axismask::text<9>{"kv_heads"}, axismask::axes<axismask::text<6>{"heads"}, axismask::text<4>{"seq"}>>': axismask: each other axis of an array of attention requires the queries to have it; rename the axis, or take it out of the array
// Sinks over an axis that the queries lack.
#include <cstdint>

#include "axismask/attention.hpp"
#include "axismask/causal.hpp"

using namespace axismask;

#ifdef AXISMASK_EXPECT_FAIL
using extra_array = named_array<float, axes<"kv_heads">>;
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
