// expect: ApplyOwnCausalMask requires the axes of its positions; add (axismask::query_axis<\"seq\">, seq_axis) and (axismask::kv_axis<\"kv_seq\">, kv_seq_axis)
// expect clang: ApplyOwnCausalMask>': axismask: a layer with positions requires their axes; add (axismask::query_axis<"seq">, seq_axis) and (axismask::kv_axis<"kv_seq">, kv_seq_axis)
// A layer with positions that does not say along which axes they lie.
#include <cstdint>

#include "axismask/layer.hpp"

using namespace axismask;

// Causal attention, declared by a user.
struct ApplyOwnCausalMask {
#ifdef AXISMASK_EXPECT_FAIL
  AXISMASK_LAYER(ApplyOwnCausalMask,
                 (masked_value, masked_out_value),
                 (query_positions, query_positions_input_name, "token_positions"),
                 (kv_positions, kv_positions_input_name, "token_positions"))
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
  const ApplyOwnCausalMask layer{.masked_out_value = -1e30};
  return layer(logits, input<"token_positions">(positions));
}
