// expect: ApplyCausalSlidingWindowAttentionMask(cache_positions): it has no axis \"kv_seq\" or \"seq\"; it has \"kv_sek\"; rename \"kv_sek\" to \"kv_seq\": positions of keys need the layer\'s kv_seq_axis or, as in penzai, its seq_axis
// expect clang: axismask::text<16>{"cache_positions"}, axismask::text<4>{"seq"}, axismask::text<7>{"kv_seq"}, axismask::axes<axismask::text<7>{"kv_sek"}>>': axismask: positions of keys require the layer's kv_seq_axis or its seq_axis; give the array one of the two
// Positions of keys along neither the key/value axis nor the query axis.
#include <cstdint>

#include "axismask/causal_sliding_window.hpp"

using namespace axismask;

#ifdef AXISMASK_EXPECT_FAIL
using kv_positions_axes = axes<"kv_sek">;
#else
using kv_positions_axes = axes<"seq">;
#endif

auto attend(const named_array<float, axes<"heads", "seq", "kv_seq">>& logits,
            const named_array<std::int64_t, axes<"seq">>& query_positions_of_row,
            const named_array<std::int64_t, kv_positions_axes>& cache_positions) {
  const ApplyCausalSlidingWindowAttentionMask<count, "token_positions", "cache_positions"> layer{
      .masked_out_value = -1e30, .sliding_window_size = 512};
  return layer(logits, input<"token_positions">(query_positions_of_row), input<"cache_positions">(cache_positions));
}
