// Padding by length: rows of a batch that are shorter than the others are filled up after their tokens (right padding)
// or before them (left padding), and no token sees the filling.
//
// Here a position is the place in the padded row, 0 to total - 1. Positions that count tokens and are negative where
// there is none need no such mask: the layers that look at positions mask negative ones by themselves.
//
// Neither mask is causal; combine with one that is (`&`). Rows of queries that are padding are not masked as a whole:
// what they see does not matter, and a row of which nothing is kept makes NaN of many a softmax.
#pragma once

#include "axismask/layer.hpp"

namespace axismask {

// Replaces by `masked_out_value` each logit whose key is beyond its row's length: keeps the positions 0 to length - 1,
// which are `length` keys; the key at position `length` is the first that is masked. A length of 0 masks the row.
//
// This is flash-attention's `seqused_k` and xFormers' `kv_seqlen`; ONNX Runtime's `seqlens_k` is length - 1. The
// lengths are a side input, integers over any axes of the logits: one for each row of a batch.
template <text KvPositionsInputName = "token_positions", text LengthsInputName = "lengths", text SeqAxis = "seq",
          text KvSeqAxis = "kv_seq">
struct ApplyRightPaddingAttentionMask {
  AXISMASK_LAYER(ApplyRightPaddingAttentionMask,
                 (masked_value, masked_out_value),
                 (kv_positions, kv_positions_input_name, KvPositionsInputName),
                 (integers, lengths_input_name, LengthsInputName),
                 (query_axis, seq_axis, SeqAxis),
                 (kv_axis, kv_seq_axis, KvSeqAxis))

  template <class Position, class Length>
  static constexpr auto keep(Position kv_position, Length length) {
    return kv_position >= 0 && kv_position < length;
  }
};

// Replaces by `masked_out_value` each logit whose key is in the filling before its row's tokens: keeps the last
// `length` of the places 0 to total - 1; the key at total - length is the first that is kept. Places from `total` on
// are masked too: they are the part of a cache that holds nothing yet.
//
// This is transformers' 2-D attention mask of a tokenizer with padding_side "left", and mlx-lm's `left_padding`, which
// is total - length. Both lengths are side inputs, integers over any axes of the logits, because both grow by one with
// each token that is generated: `lengths` has one for each row of a batch, `total_lengths` is usually one number.
template <text KvPositionsInputName = "token_positions", text LengthsInputName = "lengths",
          text TotalLengthsInputName = "total_lengths", text SeqAxis = "seq", text KvSeqAxis = "kv_seq">
struct ApplyLeftPaddingAttentionMask {
  AXISMASK_LAYER(ApplyLeftPaddingAttentionMask,
                 (masked_value, masked_out_value),
                 (kv_positions, kv_positions_input_name, KvPositionsInputName),
                 (integers, lengths_input_name, LengthsInputName),
                 (integers, total_lengths_input_name, TotalLengthsInputName),
                 (query_axis, seq_axis, SeqAxis),
                 (kv_axis, kv_seq_axis, KvSeqAxis))

  template <class Position, class Length>
  static constexpr auto keep(Position kv_position, Length length, Length total_length) {
    return kv_position >= total_length - length && kv_position < total_length && kv_position >= 0;
  }
};

}  // namespace axismask
