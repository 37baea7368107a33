// expect: ApplyCausalSlidingWindowAttentionMask(token_positions): positions are integers, and this array holds float32; give int32 or int64
// expect clang: axismask::text<16>{"token_positions"}, float>': axismask: positions require integers; give int32 or int64
// Positions that are floats.
#include <cstdint>

#include "axismask/causal_sliding_window.hpp"

using namespace axismask;

#ifdef AXISMASK_EXPECT_FAIL
using positions_array = named_array<float, axes<"batch", "seq">>;
#else
using positions_array = named_array<std::int32_t, axes<"batch", "seq">>;
#endif

auto attend(const named_array<float, axes<"batch", "heads", "seq", "kv_seq">>& logits,
            const positions_array& positions) {
  const ApplyCausalSlidingWindowAttentionMask<> layer{.masked_out_value = -1e30, .sliding_window_size = 512};
  return layer(logits, input<"token_positions">(positions));
}
