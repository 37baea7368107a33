// expect: ApplyChunkedMask::keep requires 3 parameters, one for each of query_positions_input_name, kv_positions_input_name, chunk_size; declare it as a static constexpr function template that takes these in this order
// expect clang: ApplyChunkedMask, axismask::integer, bool, std::integer_sequence<unsigned long, 0, 1, 2>>': axismask: keep requires one parameter for each side input and then each parameter of the layer; declare it as a static constexpr function template that takes these in the order of the attributes
// stands alone
// A config header that declares a broken layer: an error in every file that includes it, without a call.
#include "axismask/declare.hpp"

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
  template <class Position>
  static constexpr auto keep(Position query, Position key) {
    return query >= key && query / 8192 == key / 8192;
  }
#else
  template <class Position, class Size>
  static constexpr auto keep(Position query, Position key, Size chunk) {
    return query >= key && query / chunk == key / chunk;
  }
#endif
};

AXISMASK_LAYERS(ApplyChunkedMask)
