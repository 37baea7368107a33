// The layers of this project: chunked local attention as transformers computes it for Llama 4, by places in a batch
// that is padded on the left. axismask ships a chunked mask that goes by token positions, but not this one; this header
// is all that it takes.
#pragma once

#include <axismask/declare.hpp>

namespace example {

// Keeps a logit where query and key lie in the same chunk and the key is not after the query and not padding. Positions
// are places in the padded row, 0 its first; chunks start at the first token, so each row says how much padding it has
// (transformers' `chunked_overlay` with `left_padding`, and its causal mask).
struct ApplyPaddedChunkedAttentionMask {
  AXISMASK_LAYER(ApplyPaddedChunkedAttentionMask,
                 (axismask::masked_value, masked_out_value),
                 (axismask::count, attention_chunk_size),
                 (axismask::query_positions, query_positions_input_name, "token_positions"),
                 (axismask::kv_positions, kv_positions_input_name, "token_positions"),
                 (axismask::integers, left_padding_input_name, "left_padding"),
                 (axismask::query_axis, seq_axis, "seq"),
                 (axismask::kv_axis, kv_seq_axis, "kv_seq"))

  template <class Number, class Size>
  static constexpr auto keep(Number query, Number key, Number left_padding, Size attention_chunk_size) {
    return (query - left_padding) / attention_chunk_size == (key - left_padding) / attention_chunk_size &&
           query >= key && key >= left_padding;
  }
};

static_assert(axismask::keeps<ApplyPaddedChunkedAttentionMask>(9, 6, 2, 4));   // a chunk's first token is in sight
static_assert(!axismask::keeps<ApplyPaddedChunkedAttentionMask>(6, 5, 2, 4));  // and nothing of the chunk before

}  // namespace example

AXISMASK_LAYERS(example::ApplyPaddedChunkedAttentionMask)
