// The causal sliding-window mask, as penzai's `ApplyCausalSlidingWindowAttentionMask` defines it
// (penzai/nn/attention.py): a token sees itself and the `sliding_window_size - 1` tokens before it.
#pragma once

#include "axismask/layer.hpp"

namespace axismask {

// Replaces by `masked_out_value` each logit whose key is after its query, at a distance of `sliding_window_size` or
// more before it, or padding (a negative position). The window counts visible keys, the query's own included:
// Hugging Face's and llama.cpp's number, and one more than the `left` of flash-attention, torch and JAX splash.
//
// `Window` is `count` (a number at run time), `constant<N>`, or `counts_over<axes<"heads">>`.
// The attributes, their names and their defaults are penzai's.
template <class Window = count, text QueryPositionsInputName = "token_positions",
          text KvPositionsInputName = "token_positions", text SeqAxis = "seq", text KvSeqAxis = "kv_seq">
struct ApplyCausalSlidingWindowAttentionMask {
  AXISMASK_LAYER(ApplyCausalSlidingWindowAttentionMask,
                 (masked_value, masked_out_value),
                 (Window, sliding_window_size),
                 (query_positions, query_positions_input_name, QueryPositionsInputName),
                 (kv_positions, kv_positions_input_name, KvPositionsInputName),
                 (query_axis, seq_axis, SeqAxis),
                 (kv_axis, kv_seq_axis, KvSeqAxis))

  template <class Position, class Size>
  static constexpr auto keep(Position query_position, Position kv_position, Size sliding_window_size) {
    return query_position >= kv_position && query_position - kv_position < sliding_window_size && kv_position >= 0;
  }
};

}  // namespace axismask
