// A layer of one's own, for which Halide is needed; or, where NOT_LINKED calls it, a library of its kernels.
#pragma once

#include <axismask/declare.hpp>

struct ApplyOwnMask {
  AXISMASK_LAYER(ApplyOwnMask, (axismask::masked_value, masked_out_value),
                 (axismask::query_positions, query_input, "token_positions"),
                 (axismask::kv_positions, key_input, "token_positions"), (axismask::query_axis, query_axis, "seq"),
                 (axismask::kv_axis, key_axis, "kv_seq"))

  template <class Position>
  static constexpr auto keep(Position query, Position key) {
    return query == key;
  }
};

AXISMASK_LAYERS(ApplyOwnMask)
