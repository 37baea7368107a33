// expect: ApplyChunkedMask requires other names than \"name\", \"type\", \"empty_rows\" and \"attention\" for its attributes, which specs use for the layer itself; rename it
// expect clang: ApplyChunkedMask>': axismask: a layer requires other names than "name", "type", "empty_rows" and "attention" for its attributes, which specs use for the layer itself; rename it
// An attribute with a name that a spec uses for the layer itself.
#include <cstdint>

#include "axismask/layer.hpp"

using namespace axismask;

#ifdef AXISMASK_EXPECT_FAIL
// Chunked attention: a token sees the tokens of its own chunk up to itself.
struct ApplyChunkedMask {
  AXISMASK_LAYER(ApplyChunkedMask,
                 (masked_value, masked_out_value),
                 (count, type),
                 (query_positions, query_positions_input_name, "token_positions"),
                 (kv_positions, kv_positions_input_name, "token_positions"),
                 (query_axis, seq_axis, "seq"),
                 (kv_axis, kv_seq_axis, "kv_seq"))

  template <class Position, class Size>
  static constexpr auto keep(Position query, Position key, Size chunk) {
    return query >= key && query / chunk == key / chunk;
  }
};
#else
// Chunked attention: a token sees the tokens of its own chunk up to itself.
struct ApplyChunkedMask {
  AXISMASK_LAYER(ApplyChunkedMask,
                 (masked_value, masked_out_value),
                 (count, chunk_size),
                 (query_positions, query_positions_input_name, "token_positions"),
                 (kv_positions, kv_positions_input_name, "token_positions"),
                 (query_axis, seq_axis, "seq"),
                 (kv_axis, kv_seq_axis, "kv_seq"))

  template <class Position, class Size>
  static constexpr auto keep(Position query, Position key, Size chunk) {
    return query >= key && query / chunk == key / chunk;
  }
};
#endif

auto attend(const named_array<float, axes<"heads", "seq", "kv_seq">>& logits,
            const named_array<std::int32_t, axes<"seq">>& positions) {
  const ApplyChunkedMask layer{-1e30, 8192, {}, {}, {}, {}};
  return layer(logits, input<"token_positions">(positions));
}
