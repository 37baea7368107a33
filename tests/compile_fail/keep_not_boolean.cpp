// expect: ApplyChunkedMask::keep requires a boolean result; return a comparison, or comparisons joined by && and ||
// expect clang: ApplyChunkedMask>': axismask: keep requires a boolean result; return a comparison, or comparisons joined by && and ||
// `keep` that gives a number.
#include <cstdint>

#include "axismask/layer.hpp"

using namespace axismask;

// Chunked attention: a token sees the tokens of its own chunk up to itself.
struct ApplyChunkedMask {
  AXISMASK_LAYER(ApplyChunkedMask,
                 (masked_value, masked_out_value),
                 (count, chunk_size),
                 (query_positions, query_positions_input_name, "token_positions"),
                 (kv_positions, kv_positions_input_name, "token_positions"),
                 (query_axis, seq_axis, "seq"),
                 (kv_axis, kv_seq_axis, "kv_seq"))

#ifdef AXISMASK_EXPECT_FAIL
  template <class Position, class Size>
  static constexpr auto keep(Position query, Position key, Size chunk) {
    return query / chunk - key / chunk;
  }
#else
  template <class Position, class Size>
  static constexpr auto keep(Position query, Position key, Size chunk) {
    return query >= key && query / chunk == key / chunk;
  }
#endif
};

auto attend(const named_array<float, axes<"heads", "seq", "kv_seq">>& logits,
            const named_array<std::int32_t, axes<"seq">>& positions) {
  const ApplyChunkedMask layer{.masked_out_value = -1e30, .chunk_size = 8192};
  return layer(logits, input<"token_positions">(positions));
}
