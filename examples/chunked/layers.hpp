// The layers of this project: chunked local attention, as in Llama 4. axismask does not ship it; this header is all
// that it takes.
#pragma once

#include <axismask/declare.hpp>

namespace example {

// Keeps a logit where query and key lie in the same chunk and the key is not after the query (transformers'
// `chunked_overlay` and causal mask). Positions count from a prompt's first token, padding is negative.
struct ApplyChunkedAttentionMask {
  AXISMASK_LAYER(ApplyChunkedAttentionMask,
                 (axismask::masked_value, masked_out_value),
                 (axismask::count, attention_chunk_size),
                 (axismask::query_positions, query_positions_input_name, "token_positions"),
                 (axismask::kv_positions, kv_positions_input_name, "token_positions"),
                 (axismask::query_axis, seq_axis, "seq"),
                 (axismask::kv_axis, kv_seq_axis, "kv_seq"))

  template <class Position, class Size>
  static constexpr auto keep(Position query_position, Position kv_position, Size attention_chunk_size) {
    return query_position / attention_chunk_size == kv_position / attention_chunk_size &&
           query_position >= kv_position && kv_position >= 0;
  }
};

static_assert(axismask::keeps<ApplyChunkedAttentionMask>(7, 4, 4));   // the first token of its chunk sees itself
static_assert(!axismask::keeps<ApplyChunkedAttentionMask>(4, 3, 4));  // and nothing of the chunk before

}  // namespace example

AXISMASK_LAYERS(example::ApplyChunkedAttentionMask)
