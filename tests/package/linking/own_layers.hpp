// A layer of one's own, each query sees its own token: for which Halide is needed; a library of its kernels where
// NOT_LINKED calls it; a plugin in tests/c_api.
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
