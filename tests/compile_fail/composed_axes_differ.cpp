// expect: all(ApplyCausalSlidingWindowAttentionMask, ApplyVisibleMask) requires one query axis and one key axis for all its masks; they have \"seq\", \"kv_seq\", \"seq\", \"keys\": give them the same names
// expect clang: ApplyVisibleMask>>': axismask: masks that are composed require one query axis and one key axis; give them the same names
// Two masks that call the keys' axis by different names, composed.
#include <cstdint>

#include "axismask/causal_sliding_window.hpp"

using namespace axismask;

#ifdef AXISMASK_EXPECT_FAIL
constexpr text keys_axis = "keys";
#else
constexpr text keys_axis = "kv_seq";
#endif

// Keys that are not padding.
struct ApplyVisibleMask {
  AXISMASK_LAYER(ApplyVisibleMask,
                 (masked_value, masked_out_value),
                 (kv_positions, kv_positions_input_name, "token_positions"),
                 (query_axis, seq_axis, "seq"),
                 (kv_axis, kv_seq_axis, keys_axis))

  template <class Position>
  static constexpr auto keep(Position key) {
    return key >= 0;
  }
};

auto attend(const named_array<float, axes<"heads", "seq", "kv_seq">>& logits,
            const named_array<std::int32_t, axes<"seq">>& positions) {
  const ApplyCausalSlidingWindowAttentionMask<> window{.masked_out_value = -1e30, .sliding_window_size = 512};
  const ApplyVisibleMask visible{.masked_out_value = -1e30};
  const auto layer = window & visible;
  return layer(logits, input<"token_positions">(positions));
}
