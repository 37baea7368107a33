// The causal mask, as penzai's `ApplyCausalAttentionMask` defines it (penzai/nn/attention.py): a token sees itself and
// every token before it.
#pragma once

#include "axismask/layer.hpp"

namespace axismask {

// Replaces by `masked_out_value` each logit whose key is after its query or is padding (a negative position). The
// attributes, their names and their defaults are penzai's.
template <text QueryPositionsInputName = "token_positions", text KvPositionsInputName = "token_positions",
          text SeqAxis = "seq", text KvSeqAxis = "kv_seq">
struct ApplyCausalAttentionMask {
  AXISMASK_LAYER(ApplyCausalAttentionMask,
                 (masked_value, masked_out_value),
                 (query_positions, query_positions_input_name, QueryPositionsInputName),
                 (kv_positions, kv_positions_input_name, KvPositionsInputName),
                 (query_axis, seq_axis, SeqAxis),
                 (kv_axis, kv_seq_axis, KvSeqAxis))

  template <class Position>
  static constexpr auto keep(Position query_position, Position kv_position) {
    return query_position >= kv_position && kv_position >= 0;
  }
};

}  // namespace axismask
