// expect: ApplyCausalSlidingWindowAttentionMask(cache_positions): positions of keys have the axis \"seq\", read as \"kv_seq\", and \"kv_seq\" too; leave one of the two out
// expect clang: axismask::text<16>{"cache_positions"}, axismask::text<4>{"seq"}, axismask::text<7>{"kv_seq"}, axismask::axes<axismask::text<4>{"seq"}, axismask::text<7>{"kv_seq"}>>': axismask: positions of keys require the layer's kv_seq_axis, or its seq_axis in the place of it; leave one of the two out
// Positions of keys over the key/value axis, and over the query axis that may stand in its place.
#include <cstdint>

#include "axismask/causal_sliding_window.hpp"

using namespace axismask;

#ifdef AXISMASK_EXPECT_FAIL
using kv_positions_axes = axes<"seq", "kv_seq">;
#else
using kv_positions_axes = axes<"kv_seq">;
#endif

auto attend(const named_array<float, axes<"heads", "seq", "kv_seq">>& logits,
            const named_array<std::int64_t, axes<"seq">>& query_positions_of_row,
            const named_array<std::int64_t, kv_positions_axes>& cache_positions) {
  const ApplyCausalSlidingWindowAttentionMask<count, "token_positions", "cache_positions"> layer{
      .masked_out_value = -1e30, .sliding_window_size = 512};
  return layer(logits, input<"token_positions">(query_positions_of_row), input<"cache_positions">(cache_positions));
}
