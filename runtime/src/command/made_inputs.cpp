// The side inputs that `plan` and `mask` give a layer.
#include "command/made_inputs.hpp"

#include <algorithm>
#include <numeric>
#include <tuple>

#include "arrays/bind_arrays.hpp"
#include "mask/mask_rows.hpp"

namespace axismask::command {

made_inputs::made_inputs(const any_layer& layer, const wanted_sizes& wanted, const std::vector<side_input>& given)
    : values(layer.values()), inputs(given), wanted_(wanted) {
  const std::vector<std::size_t> to_make = positions_to_make(values, given);
  if (to_make.empty()) return;
  if (!wanted.queries && !wanted.keys) {
    throw error("usage", "--seq", "neither a size nor positions are given",
                "give --seq N, or --input with the positions");
  }
  make(layer, to_make);
}

void made_inputs::make(const any_layer& layer, const std::vector<std::size_t>& operands) {
  const auto [query_axis, kv_axis] = position_axes_of(layer.values());
  const std::int64_t queries = wanted_.queries.value_or(wanted_.keys.value_or(0));
  const std::int64_t keys = wanted_.keys.value_or(queries);
  check_made_size(query_axis, queries, kv_axis, keys);
  positions_.resize(static_cast<std::size_t>(keys));
  std::iota(positions_.begin(), positions_.end(), 0);
  for (const std::size_t index : operands) {
    attribute_value& operand = values.attributes[index];
    const bool of_keys = values.type->attributes[index].kind == attribute_kind::kv_positions;
    const std::int64_t size = of_keys ? keys : queries;
    operand.name = of_keys ? "/keys" : "/queries";  // no side input has such a name
    const auto is_there = [&](const side_input& one) { return one.name == operand.name; };
    if (std::any_of(inputs.begin(), inputs.end(), is_there)) continue;
    inputs.push_back(
        {operand.name, any_view(positions_.data() + (keys - size), dtype::int32, {{query_axis, size, 1}})});
  }
}

void made_inputs::check_sizes(std::int64_t queries, std::int64_t keys) const {
  for (const auto& [option, wanted, size] :
       {std::tuple("--seq", wanted_.queries, queries), std::tuple("--kv-seq", wanted_.keys, keys)}) {
    if (!wanted || *wanted == size) continue;
    throw error("axis-size", option,
                "it is " + std::to_string(*wanted) + ", and the side inputs have " + std::to_string(size),
                "leave it out, or leave out the positions");
  }
}

}  // namespace axismask::command
