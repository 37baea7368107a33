// The window to both sides: a token sees itself, some tokens before it and some after it.
#pragma once

#include "axismask/layer.hpp"

namespace axismask {

// Replaces by `masked_out_value` each logit whose key is more than `window_left` before its query, more than
// `window_right` after it, or padding (a negative position).
//
// The definition is that of flash-attention's and xFormers' (window_left, window_right) and of JAX splash's
// `LocalMask`: -window_right <= query - key <= window_left. Each side counts the keys on that side, without the query's
// own, so that window_left + window_right + 1 keys are visible and 0 is none on that side. This is not the count of
// `sliding_window_size`: window_left = W - 1 with window_right = 0 is the causal window of W. A model's configuration
// often says neither: ModernBERT's local_attention of 128 is 64 to each side, 129 keys, and EmbeddingGemma's
// sliding_window of 512 is 256 to each side, 513 keys. window.hpp converts.
//
// `Left` and `Right` are `whole` (a number at run time), `constant<N>`, or `counts_over<axes<"heads">>`; the last two
// begin at 1.
template <class Left = whole, class Right = whole, text QueryPositionsInputName = "token_positions",
          text KvPositionsInputName = "token_positions", text SeqAxis = "seq", text KvSeqAxis = "kv_seq">
struct ApplyBidirectionalWindowAttentionMask {
  AXISMASK_LAYER(ApplyBidirectionalWindowAttentionMask,
                 (masked_value, masked_out_value),
                 (Left, window_left),
                 (Right, window_right),
                 (query_positions, query_positions_input_name, QueryPositionsInputName),
                 (kv_positions, kv_positions_input_name, KvPositionsInputName),
                 (query_axis, seq_axis, SeqAxis),
                 (kv_axis, kv_seq_axis, KvSeqAxis))

  // The window's ends belong to the query, so a kernel works them out once a row. Where one saturates, every position
  // is on its visible side.
  template <class Position, class LeftSize, class RightSize>
  static constexpr auto keep(Position query_position, Position kv_position, LeftSize window_left,
                             RightSize window_right) {
    return kv_position >= query_position - window_left && kv_position <= query_position + window_right &&
           kv_position >= 0;
  }
};

}  // namespace axismask
