// expect: ApplyCausalSlidingWindowAttentionMask(token_positions): it has no axis \"seq\"; it has \"batch\", \"sek\"; rename \"sek\" to \"seq\": positions of queries need the layer\'s seq_axis
// expect clang: axismask::text<16>{"token_positions"}, axismask::text<4>{"seq"}, axismask::axes<axismask::text<6>{"batch"}, axismask::text<4>{"sek"}>>': axismask: positions of queries require the layer's seq_axis; give the array that axis
// Positions without the sequence axis.
#include <cstdint>

#include "axismask/causal_sliding_window.hpp"

using namespace axismask;

#ifdef AXISMASK_EXPECT_FAIL
using positions_array = named_array<std::int32_t, axes<"batch", "sek">>;
#else
using positions_array = named_array<std::int32_t, axes<"batch", "seq">>;
#endif

auto attend(const named_array<float, axes<"batch", "heads", "seq", "kv_seq">>& logits,
            const positions_array& positions) {
  const ApplyCausalSlidingWindowAttentionMask<> layer{.masked_out_value = -1e30, .sliding_window_size = 512};
  return layer(logits, input<"token_positions">(positions));
}
