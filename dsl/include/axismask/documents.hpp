// The mask of packed sequences: several documents lie one after another in one row, and a token sees its own only.
#pragma once

#include "axismask/layer.hpp"

namespace axismask {

// Replaces by `masked_out_value` each logit whose query and key have different segment ids, or whose id is negative:
// that is padding, which sees nobody and which nobody sees. A token sees all of its document, before and after it;
// combine with a causal mask (`&`) for a decoder. Positions may then restart in each document or run on, because only
// those of one document are compared.
//
// This is FlexAttention's document mask, transformers' `packed_sequence_mask_function` and JAX splash's `SegmentIds`:
// query_id == key_id. Those have no padding id: there tokens with the padding's id see each other.
//
// The ids are side inputs of integers along `seq_axis` (those of keys are read along `kv_seq_axis`, as positions are).
// Any numbers will do, in any order; only equality counts.
template <text QuerySegmentIdsInputName = "segment_ids", text KvSegmentIdsInputName = "segment_ids",
          text SeqAxis = "seq", text KvSeqAxis = "kv_seq">
struct ApplyDocumentAttentionMask {
  AXISMASK_LAYER(ApplyDocumentAttentionMask,
                 (masked_value, masked_out_value),
                 (query_ids, query_segment_ids_input_name, QuerySegmentIdsInputName),
                 (kv_ids, kv_segment_ids_input_name, KvSegmentIdsInputName),
                 (query_axis, seq_axis, SeqAxis),
                 (kv_axis, kv_seq_axis, KvSeqAxis))

  template <class Id>
  static constexpr auto keep(Id query_segment_id, Id kv_segment_id) {
    return query_segment_id == kv_segment_id && kv_segment_id >= 0;
  }
};

}  // namespace axismask
