// expect: ApplyChunkedMask requires attributes that say their part; \"chunk_size\" is of another type: use masked_value, count, whole, constant, counts_over, query_positions, kv_positions, integers, mask, query_axis or kv_axis
// expect clang: ApplyChunkedMask>': axismask: a layer requires attributes that say their part; use masked_value, count, whole, constant, counts_over, query_positions, kv_positions, integers, mask, query_axis or kv_axis
// An attribute of a type that says no part.
#include <cstdint>

#include "axismask/layer.hpp"

using namespace axismask;

#ifdef AXISMASK_EXPECT_FAIL
using chunk_type = int;
#else
using chunk_type = count;
#endif

// Chunked attention: a token sees the tokens of its own chunk up to itself.
struct ApplyChunkedMask {
  AXISMASK_LAYER(ApplyChunkedMask,
                 (masked_value, masked_out_value),
                 (chunk_type, chunk_size),
                 (query_positions, query_positions_input_name, "token_positions"),
                 (kv_positions, kv_positions_input_name, "token_positions"),
                 (query_axis, seq_axis, "seq"),
                 (kv_axis, kv_seq_axis, "kv_seq"))

  template <class Position, class Size>
  static constexpr auto keep(Position query, Position key, Size chunk) {
    return query >= key && query / chunk == key / chunk;
  }
};

auto attend(const named_array<float, axes<"heads", "seq", "kv_seq">>& logits,
            const named_array<std::int32_t, axes<"seq">>& positions) {
  const ApplyChunkedMask layer{.masked_out_value = -1e30, .chunk_size = 8192};
  return layer(logits, input<"token_positions">(positions));
}
