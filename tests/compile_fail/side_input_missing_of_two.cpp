// expect: ApplyCausalSlidingWindowAttentionMask(cache_positions): the side input \"cache_positions\" is missing; given: \"token_positions\"; give it, or set the layer\'s kv_positions_input_name
// expect clang: axismask::text<16>{"cache_positions"}, axismask::named_input<axismask::text<16>{"token_positions"}, axismask::named_view<const int, axismask::axes<axismask::text<4>{"seq"}>>>>': axismask: a call requires every side input of the layer; give it, or set the layer's attribute that names it
// Queries and keys have positions of their own, and the call gives those of the queries only.
#include <cstdint>

#include "axismask/causal_sliding_window.hpp"

using namespace axismask;

auto attend(const named_array<float, axes<"heads", "seq", "kv_seq">>& logits,
            const named_array<std::int32_t, axes<"seq">>& query_positions_of_row,
            const named_array<std::int32_t, axes<"seq">>& cache_positions) {
  const ApplyCausalSlidingWindowAttentionMask<count, "token_positions", "cache_positions"> layer{
      .masked_out_value = -1e30, .sliding_window_size = 512};
#ifdef AXISMASK_EXPECT_FAIL
  (void)cache_positions;
  return layer(logits, input<"token_positions">(query_positions_of_row));
#else
  return layer(logits, input<"token_positions">(query_positions_of_row), input<"cache_positions">(cache_positions));
#endif
}
