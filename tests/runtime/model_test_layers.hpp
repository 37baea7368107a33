// The layer types of model_test that are no shipped ones, and its compositions.
#pragma once

#include "axismask/layer.hpp"
#include "axismask/layers.hpp"

namespace mine {

// Layers of a user's own. The names of their attributes are no one else's.
struct ChunkOrBias {
  AXISMASK_LAYER(ChunkOrBias,
                 (axismask::masked_value, fill),
                 (axismask::count, chunk),
                 (axismask::mask, visible_input_name, "visible"),
                 (axismask::query_positions, query_input_name, "positions"),
                 (axismask::kv_positions, kv_input_name, "positions"),
                 (axismask::query_axis, rows, "rows"),
                 (axismask::kv_axis, columns, "columns"))

  template <class Boolean, class Position, class Chunk>
  static constexpr auto keep(Boolean visible, Position query, Position key, Chunk chunk) {
    return visible || query / chunk == key / chunk;
  }
};

}  // namespace mine

namespace other {

// A type with the name of another.
struct ChunkOrBias {
  AXISMASK_LAYER(ChunkOrBias, (axismask::masked_value, fill), (axismask::mask, visible_input_name, "visible"))

  template <class Boolean>
  static constexpr auto keep(Boolean visible) {
    return visible;
  }
};

}  // namespace other

namespace axismask::model_test {

using causal = ApplyCausalAttentionMask<>;
using window = ApplyCausalSlidingWindowAttentionMask<>;
using document = ApplyDocumentAttentionMask<>;
using two_sided = ApplyBidirectionalWindowAttentionMask<>;
using composed_type = all_of<causal, any_of<window, ApplySinksAttentionMask<>>>;

}  // namespace axismask::model_test
