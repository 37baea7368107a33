// Layers for the kernel tests: between them they use every kind of operand and every operator that `keep` may use.
#pragma once

#include "axismask/declare.hpp"
#include "axismask/layers.hpp"

namespace axismask::test {

// Division and remainder, and a number that is not a count of anything visible.
struct Chunked {
  AXISMASK_LAYER(Chunked,
                 (masked_value, masked_out_value),
                 (count, chunk_size),
                 (query_positions, query_positions_input_name, "token_positions"),
                 (kv_positions, kv_positions_input_name, "token_positions"),
                 (query_axis, seq_axis, "seq"),
                 (kv_axis, kv_seq_axis, "kv_seq"))

  template <class P, class C>
  static constexpr auto keep(P q, P k, C chunk) {
    return q / chunk == k / chunk && (q - k) % chunk >= 0 && !(k > q);
  }
};

// Sums and products that leave 64 bits for extreme operands, side inputs of their own names, and two parameters.
struct Arithmetic {
  AXISMASK_LAYER(Arithmetic,
                 (masked_value, masked_out_value),
                 (count, first),
                 (query_positions, query_positions_input_name, "query_positions"),
                 (count, second),
                 (kv_positions, kv_positions_input_name, "key_positions"),
                 (query_axis, seq_axis, "seq"),
                 (kv_axis, kv_seq_axis, "kv_seq"))

  template <class P, class N>
  static constexpr auto keep(P q, P k, N first, N second) {
    return (q + k * second != first * second - q && q * k <= first * first) || -q / second == (k + first) % second;
  }
};

// A boolean side input with positions beside it.
struct MaskedCausal {
  AXISMASK_LAYER(MaskedCausal,
                 (masked_value, masked_out_value),
                 (mask, mask_input_name, "visible"),
                 (query_positions, query_positions_input_name, "token_positions"),
                 (kv_positions, kv_positions_input_name, "token_positions"),
                 (query_axis, seq_axis, "seq"),
                 (kv_axis, kv_seq_axis, "kv_seq"))

  template <class B, class P>
  static constexpr auto keep(B visible, P q, P k) {
    return (visible || q == k) && q >= k;
  }
};

// A boolean side input alone, and no axis of its own.
struct Explicit {
  AXISMASK_LAYER(Explicit,
                 (mask, mask_input_name, "visible"),
                 (masked_value, masked_out_value))

  template <class B>
  static constexpr auto keep(B visible) {
    return visible;
  }
};

// A number for each index of an axis.
struct PerHead {
  AXISMASK_LAYER(PerHead,
                 (masked_value, masked_out_value),
                 (counts_over<axes<"heads">>, sliding_window_size),
                 (query_positions, query_positions_input_name, "token_positions"),
                 (kv_positions, kv_positions_input_name, "token_positions"),
                 (query_axis, seq_axis, "seq"),
                 (kv_axis, kv_seq_axis, "kv_seq"))

  template <class P, class W>
  static constexpr auto keep(P q, P k, W window) {
    return q >= k && q - k < window && k >= 0;
  }
};

// Numbers that lie along no axis of their own.
struct Prefix {
  AXISMASK_LAYER(Prefix,
                 (masked_value, masked_out_value),
                 (integers, prefix_length_input_name, "prefix_length"),
                 (kv_positions, kv_positions_input_name, "token_positions"),
                 (query_axis, seq_axis, "seq"),
                 (kv_axis, kv_seq_axis, "kv_seq"))

  template <class P>
  static constexpr auto keep(P prefix_length, P k) {
    return k < prefix_length && k >= 0;
  }
};

// Literals whose products with each other 32 bits do not hold, though all numbers are small.
struct Literals {
  AXISMASK_LAYER(Literals,
                 (masked_value, masked_out_value),
                 (query_positions, query_positions_input_name, "token_positions"),
                 (kv_positions, kv_positions_input_name, "token_positions"),
                 (query_axis, seq_axis, "seq"),
                 (kv_axis, kv_seq_axis, "kv_seq"))

  template <class P>
  static constexpr auto keep(P q, P k) {
    return (q / 1000 - 2147480) / 7 < k && q / 1000 < 3000000 && k / 1000 + 2147480 > q / 999 && q % 1000 <= k * 3;
  }
};

// A composition of every kind, with side inputs and parameters on both sides.
using Composed = any_of<all_of<Chunked, ApplyCausalSlidingWindowAttentionMask<>, not_of<Explicit>>, Prefix>;

}  // namespace axismask::test

AXISMASK_LAYERS(axismask::test::Arithmetic, axismask::test::Chunked, axismask::test::Composed, axismask::test::Explicit,
                axismask::test::Literals, axismask::test::MaskedCausal, axismask::test::PerHead, axismask::test::Prefix)
