// expect: select(ApplyChunkedMask): the type of \"chunk_size\" is fixed in the struct of the layer; give a value of that type, or make the type a parameter of its template, types before names
// expect clang: axismask::kv_axis<axismask::text<7>{"kv_seq"}>>>': axismask: a value of another type requires that the field's type is a parameter of the layer's template; give a value of the field's type, or make the type a parameter, types before names
// A constant in the place of a number whose type the struct fixes.
#include "axismask/layer.hpp"
#include "axismask/structure.hpp"

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

  template <class Position, class Size>
  static constexpr auto keep(Position query, Position key, Size chunk) {
    return query >= key && query / chunk == key / chunk;
  }
};

auto edit(const ApplyChunkedMask& layer) {
#ifdef AXISMASK_EXPECT_FAIL
  return select(layer).at<"chunk_size">().set(constant<8192>{});
#else
  return select(layer).at<"chunk_size">().set(8192);
#endif
}
