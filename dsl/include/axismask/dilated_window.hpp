// The dilated causal window (Longformer): of the tokens in its window, a token sees itself and each `dilation`-th one
// before it.
#pragma once

#include "axismask/layer.hpp"

namespace axismask {

// Replaces by `masked_out_value` each logit that `ApplyCausalSlidingWindowAttentionMask` masks with the same
// `sliding_window_size`, and each whose distance query - key is no multiple of `dilation`. Counted from the query: it
// sees the distances 0, dilation, 2 * dilation, ... below sliding_window_size. A dilation of 1 is the whole window.
//
// The size is the length of the window with its gaps, the query's own position included, so that of its keys
// ceil(sliding_window_size / dilation) are visible. Longformer and NATTEN count visible keys instead: n keys there are
// sliding_window_size = (n - 1) * dilation + 1 (window::dilated, window.hpp). attention-gym's
// `generate_dilated_sliding_window` keeps distance <= window_size: one more.
//
// `Window` and `Dilation` are `count` (a number at run time), `constant<N>`, or `counts_over<axes<"heads">>`.
template <class Window = count, class Dilation = count, text QueryPositionsInputName = "token_positions",
          text KvPositionsInputName = "token_positions", text SeqAxis = "seq", text KvSeqAxis = "kv_seq">
struct ApplyDilatedWindowAttentionMask {
  AXISMASK_LAYER(ApplyDilatedWindowAttentionMask,
                 (masked_value, masked_out_value),
                 (Window, sliding_window_size),
                 (Dilation, dilation),
                 (query_positions, query_positions_input_name, QueryPositionsInputName),
                 (kv_positions, kv_positions_input_name, KvPositionsInputName),
                 (query_axis, seq_axis, SeqAxis),
                 (kv_axis, kv_seq_axis, KvSeqAxis))

  template <class Position, class Size, class Step>
  static constexpr auto keep(Position query_position, Position kv_position, Size sliding_window_size, Step dilation) {
    // The farthest key in sight, and not the end of the window, so that intervals are exact: a tile that reaches over a
    // multiple of the dilation has a key in sight.
    return query_position >= kv_position &&
           query_position - kv_position <= (sliding_window_size - 1) / dilation * dilation &&
           (query_position - kv_position) % dilation == 0 && kv_position >= 0;
  }
};

}  // namespace axismask
