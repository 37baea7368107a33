// expect: ApplyLengthMask(lengths): this side input holds integers, and this array holds float32; give int32 or int64
// expect clang: axismask::text<8>{"lengths"}, float>': axismask: a side input of numbers requires integers; give int32 or int64
// A side input of numbers that are no positions, given as floats.
#include <cstdint>

#include "axismask/layer.hpp"

using namespace axismask;

// Keys up to a length of each row of the batch.
struct ApplyLengthMask {
  AXISMASK_LAYER(ApplyLengthMask,
                 (masked_value, masked_out_value),
                 (kv_positions, kv_positions_input_name, "token_positions"),
                 (integers, lengths_input_name, "lengths"),
                 (query_axis, seq_axis, "seq"),
                 (kv_axis, kv_seq_axis, "kv_seq"))

  template <class Number>
  static constexpr auto keep(Number key, Number length) {
    return key < length;
  }
};

#ifdef AXISMASK_EXPECT_FAIL
using length_array = named_array<float, axes<"batch">>;
#else
using length_array = named_array<std::int32_t, axes<"batch">>;
#endif

auto attend(const named_array<float, axes<"batch", "seq", "kv_seq">>& logits,
            const named_array<std::int32_t, axes<"seq">>& positions, const length_array& lengths) {
  const ApplyLengthMask layer{.masked_out_value = -1e30};
  return layer(logits, input<"token_positions">(positions), input<"lengths">(lengths));
}
