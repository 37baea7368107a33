// The chunked causal mask of Llama 4: the sequence is cut into chunks, and a token sees itself and the tokens before it
// in its own chunk.
#pragma once

#include "axismask/layer.hpp"

namespace axismask {

// Replaces by `masked_out_value` each logit whose key is after its query, in an earlier chunk, or padding (a negative
// position). Position p is in chunk p / attention_chunk_size, rounded down. So a token sees between 1 key (the first of
// its chunk sees only itself) and attention_chunk_size keys (the last sees the whole chunk): it is no window that
// moves along with the query.
//
// This is llama.cpp's LLAMA_SWA_TYPE_CHUNKED (masked where key < (query / n) * n), JAX splash's `ChunkedCausalMask`,
// and transformers' `chunked_overlay` and causal mask. transformers counts array indices there, and shifts them by each
// row's left padding: (index - padding) / attention_chunk_size. Here positions are explicit and start with 0 at the
// first real token, so that shift is in them already: give a left-padded row the positions -1, ..., -1, 0, 1, 2, ...
//
// `Chunk` is `count` (a number at run time), `constant<N>`, or `counts_over<axes<"heads">>`.
template <class Chunk = count, text QueryPositionsInputName = "token_positions",
          text KvPositionsInputName = "token_positions", text SeqAxis = "seq", text KvSeqAxis = "kv_seq">
struct ApplyChunkedAttentionMask {
  AXISMASK_LAYER(ApplyChunkedAttentionMask,
                 (masked_value, masked_out_value),
                 (Chunk, attention_chunk_size),
                 (query_positions, query_positions_input_name, QueryPositionsInputName),
                 (kv_positions, kv_positions_input_name, KvPositionsInputName),
                 (query_axis, seq_axis, SeqAxis),
                 (kv_axis, kv_seq_axis, KvSeqAxis))

  // Where the query's chunk begins is worked out once a row; to divide each key's position would take many times
  // longer than to compare it.
  template <class Position, class Size>
  static constexpr auto keep(Position query_position, Position kv_position, Size attention_chunk_size) {
    return query_position >= kv_position &&
           kv_position >= query_position / attention_chunk_size * attention_chunk_size && kv_position >= 0;
  }
};

}  // namespace axismask
