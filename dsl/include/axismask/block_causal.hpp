// The block-causal mask of diffusion language models: a token sees its whole block and every block before it.
#pragma once

#include "axismask/layer.hpp"

namespace axismask {

// Replaces by `masked_out_value` each logit whose key is in a later block than its query, or padding (a negative
// position). Position p is in block p / block_size, rounded down. So a query sees the keys 0 to the last of its own
// block, those after itself included: between block_size keys (a query of the first block) and all. With a block_size
// of 1 it is the causal mask.
//
// This is the mask with which block diffusion models generate, LLaDA 2 (`block_length`, modeling_llada2_moe.py) and
// SDAR (generate.py) among them: tril(ones(blocks, blocks)) with each row and column repeated block_length times; and
// the clean half of BD3-LM's `block_diff_mask` (kuleshov-group/bd3lms): q / B >= k / B. Their blocks begin at the start
// of the prompt, and not after it: they count places in the row, so a row that is padded on the left has other blocks
// there than here, where positions begin with 0 at the first token.
//
// `Block` is `count` (a number at run time), `constant<N>`, or `counts_over<axes<"heads">>`.
template <class Block = count, text QueryPositionsInputName = "token_positions",
          text KvPositionsInputName = "token_positions", text SeqAxis = "seq", text KvSeqAxis = "kv_seq">
struct ApplyBlockCausalAttentionMask {
  AXISMASK_LAYER(ApplyBlockCausalAttentionMask,
                 (masked_value, masked_out_value),
                 (Block, block_size),
                 (query_positions, query_positions_input_name, QueryPositionsInputName),
                 (kv_positions, kv_positions_input_name, KvPositionsInputName),
                 (query_axis, seq_axis, SeqAxis),
                 (kv_axis, kv_seq_axis, KvSeqAxis))

  // The last position of the query's block is worked out once a row. Where it saturates, no position is beyond it.
  template <class Position, class Size>
  static constexpr auto keep(Position query_position, Position kv_position, Size block_size) {
    return kv_position <= query_position / block_size * block_size + (block_size - 1) && kv_position >= 0;
  }
};

}  // namespace axismask
