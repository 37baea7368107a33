// Reads masks a strip of rows at a time.
#include "mask/mask_rows.hpp"

#include <algorithm>
#include <array>
#include <limits>
#include <numeric>

#include "arrays/bind_arrays.hpp"
#include "axismask/mask.hpp"
#include "axismask/messages/text.hpp"

namespace axismask {
namespace {

constexpr std::int64_t strip_elements = std::int64_t{1} << 19;  // 1 MiB of logits: they stay in the cache
constexpr std::int64_t most_elements = std::int64_t{1} << 36;   // half a minute

// Names that no side input has, one for each operand.
constexpr std::array<std::string_view, max_operands> operand_names{
    "/0", "/1", "/2", "/3", "/4", "/5", "/6", "/7", "/8", "/9", "/10", "/11", "/12", "/13", "/14", "/15"};

// The array at one index of an axis, without that axis.
any_view at_index(const any_view& array, std::string_view axis, std::int64_t index) {
  const any_view plane = part_of(array, axis, index, 1);
  std::vector<named_axis> axes(plane.axes().begin(), plane.axes().end());
  std::erase_if(axes, [&](const named_axis& one) { return one.name == axis; });
  return {plane.data(), plane.type(), axes};
}

void check_size(const char* where, std::string_view axis, std::int64_t size) {
  constexpr std::int64_t most = std::numeric_limits<std::int32_t>::max();
  if (size >= 1 && size <= most) return;
  throw error("mask-size", where, "the axis \"" + std::string(axis) + "\" has the size " + std::to_string(size),
              "give a size from 1 to " + std::to_string(most));
}

// The side input for an attribute, or none.
const side_input* find_given(std::span<const side_input> given, const attribute_value& attribute) {
  const auto found =
      std::find_if(given.begin(), given.end(), [&](const side_input& one) { return one.name == attribute.name; });
  return found == given.end() ? nullptr : &*found;
}

}  // namespace

bool counts_tokens(const attribute_record& attribute) { return is_positions(attribute.kind) && !attribute.are_ids; }

std::vector<std::size_t> positions_to_make(const layer_values& layer, std::span<const side_input> given) {
  std::vector<std::size_t> positions;
  for (const std::size_t index : layer.type->operands) {
    if (!counts_tokens(layer.type->attributes[index])) continue;
    if (find_given(given, layer.attributes[index]) != nullptr) return {};
    positions.push_back(index);
  }
  return positions;
}

void check_made_size(std::string_view query_axis, std::int64_t queries, std::string_view kv_axis, std::int64_t keys) {
  check_size("queries", query_axis, queries);
  check_size("keys", kv_axis, keys);
  if (queries <= keys) return;
  throw error("mask-size", "keys",
              std::to_string(queries) + " queries are to be the last of " + std::to_string(keys) + " keys",
              "give at least as many keys, or the positions of both");
}

// What the choice and the arrays tell of the sizes of axes. An array's axes have the names of the logits'.
struct mask_rows::known_sizes {
  std::optional<std::int64_t> queries;
  std::optional<std::int64_t> keys;
  std::vector<named_axis> further;
};

mask_rows::mask_rows(const layer_values& layer, std::span<const side_input> given, const mask_choice& choice)
    : query_axis_("seq"), kv_axis_("kv_seq"), values_(layer) {
  check_side_inputs(layer, given);
  const position_axes names = position_axes_of(layer);
  if (!names.query.empty()) query_axis_ = names.query;
  if (!names.kv.empty()) kv_axis_ = names.kv;
  const std::vector<std::size_t> to_make = positions_to_make(layer, given);
  known_sizes sizes{choice.queries, choice.keys, {}};
  take_operands(given, to_make, sizes);
  set_size(sizes, !to_make.empty());
  make_positions(to_make);

  for (std::size_t index = 0; index < inputs_.size(); ++index) {
    values_.attributes[inputs_[index].attribute].name = operand_names[index];
  }
  values_.masked_out_value = masked_value::minus_infinity();
  if (values_.empty_rows == axismask::empty_row_rule::error) values_.empty_rows = axismask::empty_row_rule::masked;
  check_arrays(layer, sizes.further);
  choose_plane(sizes.further, choice.at);
}

// The operands that there are, and the sizes that they tell.
void mask_rows::take_operands(std::span<const side_input> given, std::span<const std::size_t> to_make,
                              known_sizes& sizes) {
  const auto note_sizes = [&](const any_view& array, bool of_keys) {
    for (const named_axis& axis : array.axes()) {
      if (axis.name == kv_axis_ || (of_keys && axis.name == query_axis_)) {
        sizes.keys = sizes.keys.value_or(axis.size);
      } else if (axis.name == query_axis_) {
        sizes.queries = sizes.queries.value_or(axis.size);
      } else if (find_axis(sizes.further, axis.name) == nullptr) {
        sizes.further.push_back(axis);
      }
    }
  };
  for (const std::size_t index : values_.type->operands) {
    if (std::find(to_make.begin(), to_make.end(), index) != to_make.end()) continue;
    const attribute_record& attribute = values_.type->attributes[index];
    const attribute_value& value = values_.attributes[index];
    if (!is_side_input(attribute.kind)) {
      if (value.numbers == nullptr) continue;
      numbers_.push_back({index, *value.numbers});
      note_sizes(*value.numbers, false);
      continue;
    }
    const side_input* found = find_given(given, value);
    if (found == nullptr) {
      std::vector<std::string_view> names;
      for (const side_input& one : given) names.push_back(one.name);
      fail("side-input-missing", value.name, breach::side_input_missing(value.name, attribute.name, names));
    }
    inputs_.push_back({index, found->array});
    note_sizes(found->array, attribute.kind == attribute_kind::kv_positions);
  }
}

// Of queries and keys there are as many when nothing tells one of the two.
void mask_rows::set_size(const known_sizes& sizes, bool makes_positions) {
  if (!sizes.queries && !sizes.keys) {
    throw error("mask-size", "queries", "nothing tells the size of the axis \"" + query_axis_ + "\"",
                "give it, or side inputs that lie along the axis");
  }
  queries_ = sizes.queries ? *sizes.queries : *sizes.keys;
  keys_ = sizes.keys ? *sizes.keys : *sizes.queries;
  check_size("queries", query_axis_, queries_);
  check_size("keys", kv_axis_, keys_);
  if (queries_ > most_elements / keys_) {
    throw error("mask-size", "queries",
                std::to_string(queries_) + " x " + std::to_string(keys_) + " logits are more than 2^36",
                "give smaller sizes");
  }
  if (makes_positions) check_made_size(query_axis_, queries_, kv_axis_, keys_);
}

void mask_rows::make_positions(std::span<const std::size_t> operands) {
  if (operands.empty()) return;
  made_positions_.resize(static_cast<std::size_t>(keys_));
  std::iota(made_positions_.begin(), made_positions_.end(), 0);
  for (const std::size_t index : operands) {
    const bool of_keys = values_.type->attributes[index].kind == attribute_kind::kv_positions;
    const std::int64_t size = of_keys ? keys_ : queries_;
    inputs_.push_back(
        {index, any_view(made_positions_.data() + (keys_ - size), dtype::int32, {{query_axis_, size, 1}})});
  }
}

// What is wrong with the arrays is found here, for the sizes as they are. The error is about the side input by its own
// name, that of `layer`.
void mask_rows::check_arrays(const layer_values& layer, std::span<const named_axis> further) const {
  std::vector<named_axis> axes(further.begin(), further.end());
  axes.push_back({query_axis_, queries_, 0});
  axes.push_back({kv_axis_, keys_, 0});
  std::vector<side_input> inputs;
  for (std::size_t index = 0; index < inputs_.size(); ++index) {
    inputs.push_back({operand_names[index], inputs_[index].array});
  }
  try {
    bound_call call;
    bind_arrays(values_, any_view(nullptr, dtype::float16, axes), inputs, call);
  } catch (const error& problem) {
    const auto* const name = std::find(operand_names.begin(), operand_names.end(), problem.where());
    if (name == operand_names.end()) throw;
    const operand& wrong = inputs_[static_cast<std::size_t>(name - operand_names.begin())];
    throw problem.at(std::string(layer.attributes[wrong.attribute].name));
  }
}

// One index along each further axis; the arrays are those that are there.
void mask_rows::choose_plane(std::span<const named_axis> further,
                             std::span<const std::pair<std::string, std::int64_t>> at) {
  for (const named_axis& axis : further) further_axes_.push_back({std::string(axis.name), axis.size, 0});
  for (const auto& [name, index] : at) {
    const auto axis = std::find_if(further_axes_.begin(), further_axes_.end(),
                                   [&name = name](const further_axis& one) { return one.name == name; });
    if (axis == further_axes_.end()) {
      const names_of_axes names(further);
      throw error("mask-index", "at",
                  "the mask does not change along an axis \"" + name + "\"; it changes along " +
                      quoted_list(names).str() + did_you_mean(name, names).str(),
                  "give an index along an axis of the side inputs or of a layer's numbers");
    }
    axis->index = index;
  }
  for (const further_axis& axis : further_axes_) {
    if (axis.index < 0 || axis.index >= axis.size) {
      throw error("mask-index", "at",
                  "there is no index " + std::to_string(axis.index) + " along the axis \"" + axis.name +
                      "\", whose size is " + std::to_string(axis.size),
                  "give an index that is less than the size, and at least 0");
    }
    for (std::vector<operand>* operands : {&inputs_, &numbers_}) {
      for (operand& one : *operands) one.array = at_index(one.array, axis.name, axis.index);
    }
  }
}

std::optional<std::int64_t> mask_rows::number(std::string_view attribute) const {
  std::optional<std::int64_t> result;
  for (const std::size_t index : values_.type->operands) {
    if (values_.type->attributes[index].name != attribute) continue;
    if (result) return std::nullopt;
    result = values_.attributes[index].number;
    for (const operand& one : numbers_) {
      if (one.attribute != index) continue;
      if (!one.array.axes().empty()) return std::nullopt;  // it changes from query to query, or from key to key
      result = *static_cast<const std::int64_t*>(one.array.data());
    }
  }
  return result;
}

std::vector<bool> mask_rows::padding(attribute_kind kind, const std::string& axis, std::int64_t size) const {
  std::vector<bool> result(static_cast<std::size_t>(size));
  for (const operand& one : inputs_) {
    if (values_.type->attributes[one.attribute].kind != kind) continue;
    const any_view& array = one.array;
    // Of its axes only this one is left: it is one plane's.
    const std::int64_t stride = find_axis(array.axes(), axis)->stride;
    const auto note = [&]<class Number>(const Number* data) {
      for (std::int64_t at = 0; at < size; ++at) {
        if (data[at * stride] < 0) result[static_cast<std::size_t>(at)] = true;
      }
    };
    if (array.type() == dtype::int32) {
      note(static_cast<const std::int32_t*>(array.data()));
    } else {
      note(static_cast<const std::int64_t*>(array.data()));
    }
  }
  return result;
}

std::vector<bool> mask_rows::query_padding() const {
  return padding(attribute_kind::query_positions, query_axis_, queries_);
}

// Positions of keys, too, have the queries' axis.
std::vector<bool> mask_rows::key_padding() const { return padding(attribute_kind::kv_positions, query_axis_, keys_); }

mask_rows::partial_call mask_rows::call_for(index_range queries, index_range keys) const {
  partial_call result(values_);
  result.layer.empty_rows = axismask::empty_row_rule::masked;
  const auto cut_to_ranges = [&](const any_view& array, bool of_keys) {
    if (of_keys) return part_of(array, query_axis_, keys.first, keys.count);
    return part_of(part_of(array, query_axis_, queries.first, queries.count), kv_axis_, keys.first, keys.count);
  };
  for (const operand& one : numbers_) result.numbers.push_back(cut_to_ranges(one.array, false));
  for (std::size_t index = 0; index < numbers_.size(); ++index) {
    result.layer.attributes[numbers_[index].attribute].numbers = &result.numbers[index];
  }
  for (std::size_t index = 0; index < inputs_.size(); ++index) {
    const auto& [attribute, array] = inputs_[index];
    const bool of_keys = values_.type->attributes[attribute].kind == attribute_kind::kv_positions;
    result.inputs.push_back({operand_names[index], cut_to_ranges(array, of_keys)});
  }
  return result;
}

void mask_rows::read(index_range queries, index_range keys, std::vector<std::uint8_t>& kept) const {
  read(call_for(queries, keys), queries, keys, kept);
}

void mask_rows::read(index_range queries, std::vector<std::uint8_t>& kept) const {
  partial_call rows = call_for(queries, {0, keys_});
  rows.layer.empty_rows = values_.empty_rows;
  read(rows, queries, {0, keys_}, kept);
}

void mask_rows::read(const partial_call& wanted, index_range queries, index_range keys,
                     std::vector<std::uint8_t>& kept) const {
  kept.resize(static_cast<std::size_t>(queries.count * keys.count));
  const std::array axes{named_axis{query_axis_, queries.count}, named_axis{kv_axis_, keys.count}};
  write_mask(wanted.layer, any_view(kept.data(), dtype::boolean, axes), wanted.inputs, {.call = {.threads = 1}});
}

void mask_rows::for_each_strip(const std::function<void(const mask_strip&)>& visit) const {
  const std::int64_t rows = std::clamp<std::int64_t>(strip_elements / keys_, 1, queries_);
  std::vector<std::uint8_t> kept;
  for (std::int64_t first = 0; first < queries_; first += rows) {
    const std::int64_t count = std::min(rows, queries_ - first);
    read({first, count}, kept);
    visit({first, count, keys_, kept});
  }
}

}  // namespace axismask
