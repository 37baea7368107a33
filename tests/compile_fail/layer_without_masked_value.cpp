// expect: ApplyOwnCausalMask requires a masked value; add (axismask::masked_value, masked_out_value)
// expect clang: ApplyOwnCausalMask>': axismask: a layer requires a masked value; add (axismask::masked_value, masked_out_value)
// A layer that cannot say what stands in the masked places.
#include <cstdint>

#include "axismask/layer.hpp"

using namespace axismask;

// Causal attention, declared by a user.
struct ApplyOwnCausalMask {
#ifdef AXISMASK_EXPECT_FAIL
  AXISMASK_LAYER(ApplyOwnCausalMask,
                 (query_positions, query_positions_input_name, "token_positions"),
                 (kv_positions, kv_positions_input_name, "token_positions"),
                 (query_axis, seq_axis, "seq"),
                 (kv_axis, kv_seq_axis, "kv_seq"))
#else
  AXISMASK_LAYER(ApplyOwnCausalMask,
                 (masked_value, masked_out_value),
                 (query_positions, query_positions_input_name, "token_positions"),
                 (kv_positions, kv_positions_input_name, "token_positions"),
                 (query_axis, seq_axis, "seq"),
                 (kv_axis, kv_seq_axis, "kv_seq"))
#endif

  template <class Position>
  static constexpr auto keep(Position query, Position key) {
    return query >= key;
  }
};

auto attend(const named_array<float, axes<"heads", "seq", "kv_seq">>& logits,
            const named_array<std::int32_t, axes<"seq">>& positions) {
#ifdef AXISMASK_EXPECT_FAIL
  const ApplyOwnCausalMask layer{};
#else
  const ApplyOwnCausalMask layer{.masked_out_value = -1e30};
#endif
  return layer(logits, input<"token_positions">(positions));
}
