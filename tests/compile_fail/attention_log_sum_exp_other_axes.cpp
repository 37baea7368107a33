// expect: ApplyCausalAttentionMask(log_sum_exp): its axes are \"seq\", and the queries\' \"heads\", \"seq\"; give an array with the queries\' axes, in any order
// expect clang: has_the_axes_of_queries<axismask::ApplyCausalAttentionMask<axismask::text<16>{"token_positions"}, axismask::text<16>{"token_positions"}, axismask::text<4>{"seq"}, axismask::text<7>{"kv_seq"}>, axismask::text<12>{"log_sum_exp"}, axismask::axes<axismask::text<4>{"seq"}>, axismask::axes<axismask::text<6>{"heads"}, axismask::text<4>{"seq"}>>': axismask: what attention writes requires the queries' axes, log_sum_exp without the projection; give an array with them, in any order
// A log_sum_exp without one of the queries' axes.
#include <cstdint>

#include "axismask/attention.hpp"
#include "axismask/causal.hpp"

using namespace axismask;

#ifdef AXISMASK_EXPECT_FAIL
using extra_array = named_array<float, axes<"seq">>;
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
