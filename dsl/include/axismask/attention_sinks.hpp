// Attention sinks: the first tokens of a sequence stay visible however far the query is (StreamingLLM).
#pragma once

#include "axismask/layer.hpp"

namespace axismask {

// Replaces by `masked_out_value` each logit whose key is not one of the first `sink_count` tokens: positions 0 to
// sink_count - 1. By itself it is of little use, and it is not causal; it is there to widen a window:
// causal & (window | sinks). Without the `causal &`, the first queries would see the sinks after them.
//
// This is StreamingLLM's `start_size` (Xiao et al., 2023), by position in the sequence and not by place in the cache.
// gpt-oss's sinks are another thing: a number in the softmax, and no key.
//
// `Sinks` is `count` (a number at run time), `constant<N>`, or `counts_over<axes<"heads">>`.
template <class Sinks = count, text KvPositionsInputName = "token_positions", text SeqAxis = "seq",
          text KvSeqAxis = "kv_seq">
struct ApplySinksAttentionMask {
  AXISMASK_LAYER(ApplySinksAttentionMask,
                 (masked_value, masked_out_value),
                 (Sinks, sink_count),
                 (kv_positions, kv_positions_input_name, KvPositionsInputName),
                 (query_axis, seq_axis, SeqAxis),
                 (kv_axis, kv_seq_axis, KvSeqAxis))

  template <class Position, class Count>
  static constexpr auto keep(Position kv_position, Count sink_count) {
    return kv_position >= 0 && kv_position < sink_count;
  }
};

}  // namespace axismask
