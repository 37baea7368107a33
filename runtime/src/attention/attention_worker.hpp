// What one thread does in a call of attention: units, one after the other. docs/attention.md has the plan of it.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <span>

#include "attention/attention_job.hpp"
#include "attention/attention_layout.hpp"
#include "attention/kernel_calls.hpp"
#include "axismask/plan.hpp"
#include "cpu/kernel_box.hpp"

namespace axismask {

inline constexpr float infinity = std::numeric_limits<float>::infinity();

// What a thread needs in memory, in floats from its start. Lanes are made up to what a kernel takes.
struct attention_scratch {
  std::int64_t lanes = 0;          // of a block, made up
  std::int64_t depth = 0;          // the projection of queries and keys, made up where the kernels of rows want it
  std::int64_t columns = 0;        // that of values
  std::int64_t block_floats = 0;   // queries, sums and states of a block
  std::int64_t result_floats = 0;  // sums and the state of a block, as partial results are kept
  std::int64_t score_stride = 0;   // rows: from one query's scores to the next
  std::int64_t score_floats = 0;
  std::int64_t key_floats = 0;    // keys of a chunk in float32
  std::int64_t value_floats = 0;  // values of a chunk in float32
  std::int64_t packed_floats = 0;
  std::int64_t zero_floats = 0;
  std::int64_t rare_floats = 0;
  std::int64_t all = 0;

  attention_scratch(const attention_job& job, const attention_layout& layout);
};

class attention_worker {
 public:
  attention_worker(const attention_job& job, const attention_layout& layout, const tile_plan& plan, float* memory,
                   kernel_failure& failure);
  attention_worker(const attention_worker&) = delete;
  attention_worker& operator=(const attention_worker&) = delete;

  // Attends with the queries of a unit to the keys of a stretch.
  void attend(std::int64_t unit, std::int64_t stretch);
  // What came of it: sums and states of each block.
  void save(float* to) const;
  // Brings together what came of several stretches, in their order.
  void merge(std::int64_t unit, const float* partials, std::int64_t partial_floats);
  // Writes the result of the unit.
  void finish();

 private:
  // A stretch of keys next to each other that is not skipped.
  struct piece {
    std::int64_t begin;
    std::int64_t end;
    std::size_t first_cut;  // of cuts_
    std::size_t cut_count;
  };
  struct key_range {
    std::int64_t begin;
    std::int64_t end;
  };
  struct block {
    std::int64_t row = 0;
    std::int64_t rows = 0;
    std::int64_t fold = 0;
    std::int64_t folds = 0;
    std::span<const tile_run> runs;
    const tile_run* at = nullptr;     // the first of them that reaches the chunk at hand
    const tile_run* ahead = nullptr;  // the first of them that may reach the chunks after it
    float* queries = nullptr;
    softmax_state state{};
    std::size_t first_piece = 0;
    std::size_t piece_count = 0;
  };
  // Where an array is at the unit's place.
  struct places {
    std::byte* queries;
    std::byte* keys;
    std::byte* values;
    std::byte* out;
    std::byte* sinks;
    std::byte* log_sum_exp;
  };

  void go_to(std::int64_t unit);
  void load_queries(block& of);
  void start(block& of);
  [[nodiscard]] key_range seen_of(key_range chunk);
  [[nodiscard]] key_range next_seen(std::int64_t& begin, std::int64_t end);
  void find_pieces(block& of, key_range chunk);
  void prepare_chunk(key_range chunk);
  void prepare_keys(key_range chunk);
  void prepare_values(key_range chunk);
  void pack(const number_matrix& values, float* packed) const;
  void attend_piece(block& of, const piece& keys);
  [[nodiscard]] number_matrix keys_of(const piece& keys);
  void mask_cuts(const block& of, const piece& keys);
  void mask_scores(const block& of, key_range keys, std::int64_t first);
  void make_up_scores(std::int64_t keys);
  void sum(block& of, const piece& keys);
  [[nodiscard]] bool values_are_finite(const piece& keys);
  [[nodiscard]] bool are_finite_values(key_range keys) const;
  void sum_with_care(block& of, const piece& keys);
  void sum_one_by_one(block& of, const piece& keys, const float* values);
  void sum_over(block& of, const piece& keys, const number_matrix& values, const packed_values& packed);
  [[nodiscard]] bool is_hidden(const block& of, std::int64_t key) const;
  void add_masked(block& of);
  void add_masked_of_run(const block& of, const tile_run& run, double* sums, std::int64_t* counts);
  [[nodiscard]] bool masked_have_weight(const block& of, std::int64_t lane) const;
  void write_lane(const block& of, std::int64_t lane);
  [[nodiscard]] std::byte* at(const attention_array& array, std::byte* base, const block& of, std::int64_t lane) const;
  [[nodiscard]] number_matrix matrix(const attention_array& array, const std::byte* data, std::int64_t inner,
                                     key_range keys) const;
  [[nodiscard]] float& state_of(float* state, std::int64_t lane, std::int64_t part) const;
  [[nodiscard]] float& sum_of(float* sums, std::int64_t lane, std::int64_t column) const;
  [[nodiscard]] std::int64_t groups() const { return scratch_.lanes / attention::rows; }

  const attention_job& job_;
  const attention_layout& layout_;
  const tile_plan& plan_;
  attention_scratch scratch_;
  kernel_failure& failure_;
  kernel_calls calls_;
  mask_job mask_;  // the job's, with this thread's scores
  std::array<std::size_t, kernel_rank> box_axes_{};
  std::size_t box_rank_ = 0;
  kernel_box box_;

  float* blocks_memory_;
  float* scores_;
  float* weights_;
  float* wide_keys_;
  float* wide_values_;
  float* packed_;
  float* zeros_;
  float* rare_;  // for values that are no numbers, and for keys that were skipped

  places places_{};
  array_offsets mask_place_{};
  std::array<block, most_blocks> blocks_;
  std::size_t block_count_ = 0;
  std::array<piece, most_blocks * most_tiles> pieces_;
  std::size_t piece_count_ = 0;
  std::array<key_range, most_blocks * most_tiles> cuts_;
  std::size_t cut_count_ = 0;

  // Of the chunk at hand.
  key_range prepared_{};
  number_matrix next_keys_;  // of the chunk after it
  number_matrix keys_;
  number_matrix values_;
  packed_values packed_values_;
  std::optional<bool> chunk_is_finite_;  // once it is known
};

}  // namespace axismask
