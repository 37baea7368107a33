// expect: ApplyCausalAttentionMask(out): its axes are \"seq\", \"projection\", and the queries\' \"heads\", \"seq\", \"projection\"; give an array with the queries\' axes, in any order
// expect clang: has_the_axes_of_queries<axismask::ApplyCausalAttentionMask<axismask::text<16>{"token_positions"}, axismask::text<16>{"token_positions"}, axismask::text<4>{"seq"}, axismask::text<7>{"kv_seq"}>, axismask::text<4>{"out"}, axismask::axes<axismask::text<4>{"seq"}, axismask::text<11>{"projection"}>, axismask::axes<axismask::text<6>{"heads"}, axismask::text<4>{"seq"}, axismask::text<11>{"projection"}>>': axismask: what attention writes requires the queries' axes, log_sum_exp without the projection; give an array with them, in any order
// Attention into an array without one of the queries' axes.
#include <cstdint>

#include "axismask/attention.hpp"
#include "axismask/causal.hpp"

using namespace axismask;

#ifdef AXISMASK_EXPECT_FAIL
using result_array = named_array<float, axes<"seq", "projection">>;
#else
using result_array = named_array<float, axes<"heads", "seq", "projection">>;
#endif

void attend_here(const named_array<float, axes<"heads", "seq", "projection">>& queries,
                 const named_array<float, axes<"kv_seq", "projection">>& keys,
                 const named_array<float, axes<"kv_seq", "projection">>& values, result_array& out,
                 const named_array<std::int32_t, axes<"seq">>& positions) {
  const ApplyCausalAttentionMask<> layer{.masked_out_value = -1e30};
  attend_to(layer, queries, keys, values, out, input<"token_positions">(positions));
}
