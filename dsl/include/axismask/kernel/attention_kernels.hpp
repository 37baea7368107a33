// The kernels of attention: what the generator, which makes them at build time, and the runtime must agree on. They
// know no mask: between the scores and what is made of them, a layer's own kernel masks the scores where a tile is cut.
// So they are made once for a target, and not for each layer.
//
// There are two families. Blocks of queries: a vector has the same projection of several queries, so that keys and
// values are read one number at a time, and lie as they like. Rows, for a few queries as in decoding: a vector has
// several projections of one key, so that keys and values are read once at the speed of memory.
//
// Scores are those of a softmax with base 2: the queries are scaled by log2(e) beforehand.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string_view>

namespace axismask {

namespace attention {

inline constexpr int rows = 4;        // queries that the kernels of rows take
inline constexpr int state_rows = 2;  // what is known of a query so far: its largest score, and the sum of its weights
inline constexpr int rows_at_once = 16;   // keys whose values the kernels of rows read for all columns
inline constexpr int score_multiple = 4;  // blocks: scores are made up to a multiple of this many keys by -infinity

// The dtypes in which keys and values are stored, in the order of the kernels for them.
enum class stored : std::uint8_t { float32, float16, bfloat16 };
inline constexpr std::size_t stored_count = 3;

}  // namespace attention

// A function with Halide's entry for arrays of arguments; 0, or an error code. The first argument is the user context.
using halide_entry = int (*)(void** arguments);

// The kernels for one target. Arrays are written with their axes innermost first; all numbers are float32 but where it
// says `stored`. B: queries of a block; C: columns of values that are packed together; L: lanes of a vector.
struct attention_kernels {
  std::string_view variant;               // its name in the list of targets: "avx2"
  std::string_view target;                // Halide's name of it
  std::array<std::uint64_t, 2> features;  // the processor features that it needs, as Halide numbers them
  int vector_bits;                        // of the vectors that it runs with only (SVE); 0: it does not depend on them

  int block;    // B
  int keys;     // of keys at once: fewer than these many must be made up to them
  int columns;  // C
  int lanes;    // L

  // (in: stored [d, n] of any strides, out: [d, n], dense along d)
  std::array<halide_entry, attention::stored_count> widen;
  // (scores: [count], cap, 1 / cap, in place: [count]): cap * tanh(score / cap); count is a multiple of L.
  halide_entry soften;

  // (queries: [B, d], keys: [d, n], scores out: [B, n]); n >= `keys`.
  halide_entry block_scores;
  // (scores: [B, n'], values: packed [C, n, d / C], state: [B, 2], weights out: [B, n'], state out: [B, 2],
  // sums in place: [B, d]); n' is n made up to a multiple of score_multiple.
  halide_entry block_sums;

  // (queries: [d, 4], keys: stored [d, n], address of later keys, bytes from key to key, address of the values, bytes
  // from value to value, bytes of a value, scores out: [n, 4]); d is a multiple of 2 L. Addresses are those of what the
  // processor should fetch meanwhile.
  std::array<halide_entry, attention::stored_count> row_scores;
  // (scores: [n', 4], values: stored [d, n], state: [4, 2], address of the keys that come next, bytes from key to key,
  // bytes of a key, how many they are, how many of them to ask for at a time: rows_at_once keys and 2 L columns,
  // weights out: [n', 4], state out: [4, 2], sums in place: [d, 4]); d is a multiple of 2 L, n' is n made up to a
  // multiple of L.
  std::array<halide_entry, attention::stored_count> row_sums;
};

// What is linked, best variant first; the generator writes its definition.
[[nodiscard]] std::span<const attention_kernels> linked_attention_kernels();

}  // namespace axismask
