// The exact mask of a layer, a strip of rows at a time. It is written by the layer's own kernels, so that it is
// what users of the layer get, and takes little memory however large the mask is.
//
// The room mask/ reads exact masks and compares them, from layers and arrays alone. Specs, pictures and texts for
// people never enter: `command` and `picture` are above it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "axismask/call/call.hpp"

namespace axismask {

// Which mask of a layer to read. Sizes that are not given are those of the side inputs.
struct mask_choice {
  std::optional<std::int64_t> queries = std::nullopt;
  std::optional<std::int64_t> keys = std::nullopt;
  // The index along each further axis along which the mask changes: heads 3. It is 0 where none is given.
  std::vector<std::pair<std::string, std::int64_t>> at = {};
};

// Queries or keys: `count` of them from `first` on. It has no end, since what a read needs is how many there are.
struct index_range {
  std::int64_t first;
  std::int64_t count;
};

// Does the attribute take positions of tokens? Ids of documents lie along the same axes but are no positions: only the
// user knows them, while positions can be made.
[[nodiscard]] bool counts_tokens(const attribute_record& attribute);

// The operands whose positions are made, as indices of attributes: those of all tokens, or none when any are given.
// Half of them would be a guess at the others.
[[nodiscard]] std::vector<std::size_t> positions_to_make(const layer_values& layer, std::span<const side_input> given);

// Throws `error` mask-size, whose WHERE is "queries" or "keys", unless positions can be made for so many: of keys from
// 0 on, of queries the last of them.
void check_made_size(std::string_view query_axis, std::int64_t queries, std::string_view kv_axis, std::int64_t keys);

// Some rows of a mask, with all their keys.
struct mask_strip {
  std::int64_t first_query;
  std::int64_t queries;
  std::int64_t keys;
  std::span<const std::uint8_t> kept;  // 1 where a logit is kept, 0 where it is masked: row after row
};

class mask_rows {
 public:
  // Prepares to read the mask of a layer with these side inputs, which are those of a call. When no positions at all
  // are given, they are made: keys count from 0, and the queries are the last of them, as in a prefill, in a chunk of
  // one, or in a step of decoding.
  // The layer and the memory of the side inputs must outlive this.
  // Throws `error`: those of `apply`; mask-size, whose WHERE is "queries" or "keys"; mask-index, whose WHERE is "at".
  mask_rows(const layer_values& layer, std::span<const side_input> given, const mask_choice& choice);
  mask_rows(const mask_rows&) = delete;
  mask_rows& operator=(const mask_rows&) = delete;

  [[nodiscard]] const std::string& query_axis() const { return query_axis_; }
  [[nodiscard]] const std::string& kv_axis() const { return kv_axis_; }
  [[nodiscard]] std::int64_t queries() const { return queries_; }
  [[nodiscard]] std::int64_t keys() const { return keys_; }

  // A further axis along which the mask may change, and the index along it that is read.
  struct further_axis {
    std::string name;
    std::int64_t size;
    std::int64_t index;
  };
  [[nodiscard]] std::span<const further_axis> further_axes() const { return further_axes_; }

  // The layer's number of that name, at these indices; none when several masks of a composition have one.
  [[nodiscard]] std::optional<std::int64_t> number(std::string_view attribute) const;

  // For each query or key: is any of its positions (or ids) negative?
  [[nodiscard]] std::vector<bool> query_padding() const;
  [[nodiscard]] std::vector<bool> key_padding() const;

  // Were the positions made, because none were given?
  [[nodiscard]] bool makes_positions() const { return !made_positions_.empty(); }
  [[nodiscard]] const axismask::layer_type& layer_type() const { return *values_.type; }

  // The rule by which rows that see nothing are read: keep_self, or masked, which also stands for a layer that refuses
  // such rows.
  [[nodiscard]] axismask::empty_row_rule empty_rows() const { return values_.empty_rows; }

  // A call of the layer that computes the mask for some queries and keys: its logits have the axes query_axis() and
  // kv_axis() alone. It has no rule for rows that see nothing, because that takes all keys of a row to tell.
  struct partial_call {
    layer_values layer;
    std::vector<any_view> numbers;  // the layer points to them
    std::vector<side_input> inputs;

    explicit partial_call(const layer_values& all) : layer(all) {}
    partial_call(partial_call&&) = default;
    partial_call(const partial_call&) = delete;
    partial_call& operator=(const partial_call&) = delete;
    partial_call& operator=(partial_call&&) = delete;
    ~partial_call() = default;
  };
  [[nodiscard]] partial_call call_for(index_range queries, index_range keys) const;

  // Reads the mask for these queries and keys: 1 where a logit is kept, 0 where it is masked, row after row.
  void read(index_range queries, index_range keys, std::vector<std::uint8_t>& kept) const;
  // Reads these queries with all their keys, by the rule for rows that see nothing.
  void read(index_range queries, std::vector<std::uint8_t>& kept) const;

  // Calls `visit` with one strip after another, from the first query to the last.
  void for_each_strip(const std::function<void(const mask_strip&)>& visit) const;

 private:
  // The steps of the constructor.
  struct known_sizes;
  void take_operands(std::span<const side_input> given, std::span<const std::size_t> to_make, known_sizes& sizes);
  void set_size(const known_sizes& sizes, bool makes_positions);
  void make_positions(std::span<const std::size_t> operands);
  void check_arrays(const layer_values& layer, std::span<const named_axis> further) const;
  void choose_plane(std::span<const named_axis> further, std::span<const std::pair<std::string, std::int64_t>> at);

  void read(const partial_call& wanted, index_range queries, index_range keys, std::vector<std::uint8_t>& kept) const;
  [[nodiscard]] std::vector<bool> padding(attribute_kind kind, const std::string& axis, std::int64_t size) const;

  std::string query_axis_;
  std::string kv_axis_;
  std::int64_t queries_ = 0;
  std::int64_t keys_ = 0;
  std::vector<further_axis> further_axes_;

  // The layer with a side input of its own for each operand, because queries and keys may share one that is cut to the
  // strip for the queries only.
  layer_values values_;
  struct operand {
    std::size_t attribute;
    any_view array;
  };
  std::vector<operand> inputs_;   // side inputs
  std::vector<operand> numbers_;  // parameters of more than one number
  std::vector<std::int32_t> made_positions_;
};

}  // namespace axismask
