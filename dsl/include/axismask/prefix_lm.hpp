// The prefix-LM mask: causal, and the whole prefix is visible to every token.
#pragma once

#include "axismask/layer.hpp"

namespace axismask {

// Replaces by `masked_out_value` each logit whose key is after its query and not in the prefix, or is padding (a
// negative position). The prefix is the positions 0 to length - 1: its tokens see each other in both directions, and
// later tokens see it and what is before them. A length of 0 (or less) is the causal mask.
//
// This is attention-gym's `generate_prefix_lm_mask` and Haliax' `prefix_lm_mask`: causal | key < prefix_length. The
// lengths are a side input, integers over any axes of the logits: one for each row of a batch, or one for all.
template <text QueryPositionsInputName = "token_positions", text KvPositionsInputName = "token_positions",
          text PrefixLengthsInputName = "prefix_lengths", text SeqAxis = "seq", text KvSeqAxis = "kv_seq">
struct ApplyPrefixLmAttentionMask {
  AXISMASK_LAYER(ApplyPrefixLmAttentionMask,
                 (masked_value, masked_out_value),
                 (query_positions, query_positions_input_name, QueryPositionsInputName),
                 (kv_positions, kv_positions_input_name, KvPositionsInputName),
                 (integers, prefix_lengths_input_name, PrefixLengthsInputName),
                 (query_axis, seq_axis, SeqAxis),
                 (kv_axis, kv_seq_axis, KvSeqAxis))

  template <class Position, class Length>
  static constexpr auto keep(Position query_position, Position kv_position, Length prefix_length) {
    return (query_position >= kv_position || kv_position < prefix_length) && kv_position >= 0;
  }
};

}  // namespace axismask
