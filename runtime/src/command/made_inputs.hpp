// The side inputs that `plan` and `mask` give a layer: those of the command line or, where it gives no positions at all
// but sizes, positions of all tokens.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "axismask/model.hpp"

namespace axismask::command {

// --seq and --kv-seq.
struct wanted_sizes {
  std::optional<std::int64_t> queries;
  std::optional<std::int64_t> keys;
};

// A layer and what it is given. Keys are made from 0 on, and queries are the last of them.
class made_inputs {
 public:
  // Throws `error`: usage, mask-size.
  made_inputs(const any_layer& layer, const wanted_sizes& wanted, const std::vector<side_input>& given);
  made_inputs(const made_inputs&) = delete;
  made_inputs& operator=(const made_inputs&) = delete;

  // The layer takes made positions under names of their own: queries and keys may share an input, and have other
  // positions.
  layer_values values;
  std::vector<side_input> inputs;

  // Throws `error` axis-size when a size that was wanted is not that which the side inputs have.
  void check_sizes(std::int64_t queries, std::int64_t keys) const;

 private:
  void make(const any_layer& layer, const std::vector<std::size_t>& operands);

  wanted_sizes wanted_;
  std::vector<std::int32_t> positions_;
};

}  // namespace axismask::command
