// What there is to know about a kind of layer at run time: its name, its attributes and its readings of `keep`. The
// runtime knows layers by these records alone; reflection.hpp makes the record of a struct.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "axismask/layer/attributes.hpp"
#include "axismask/readings/interval.hpp"

namespace axismask {

struct attribute_record {
  std::string_view name;
  attribute_kind kind;
  std::string_view default_name;  // for side inputs and axes: the name in the layer's type
  std::int64_t lowest = 1;        // for parameters: the least that one may be
  bool are_ids = false;           // for side inputs along queries or keys: they tell no positions
};

// At most this many attributes.
inline constexpr std::size_t max_attributes = 32;

// At most this many operands: side inputs and parameters together.
inline constexpr std::size_t max_operands = 16;

// How a layer's mask is made: by its own `keep`, or of other masks.
enum class composition : std::uint8_t { none, all, any, inverse };

// The keys of specs that make a mask of masks, in the order of the enumeration; that of a mask of its own is "type".
inline constexpr std::array<std::string_view, 4> composition_keys{"type", "all", "any", "not"};

[[nodiscard]] constexpr std::string_view key_of(composition how) {
  return composition_keys[static_cast<std::size_t>(how)];
}

struct layer_type {
  // The struct's own, without namespace and template arguments; of a composition its parts', "all(A, B)".
  std::string_view name;
  std::span<const attribute_record> attributes;  // in the struct's order
  std::span<const std::size_t> operands;         // `keep`'s: indices of attributes, side inputs first, then parameters

  // `keep` read with whole numbers; a boolean operand is 0 or 1.
  bool (*keep)(std::span<const std::int64_t> operands);
  // `keep` read with intervals: what it keeps of all the logits whose operands lie within these.
  verdict (*keep_within)(std::span<const interval> operands);
  // The largest magnitude of any number that `keep` computes from operands of these magnitudes.
  std::int64_t (*largest)(std::span<const std::int64_t> magnitudes);
  // `keep` read as text.
  std::string (*formula)(std::span<const std::string> operands);

  // Of which masks it is made, if of any. A composition has the masked value, and then its parts' other attributes.
  composition how = composition::none;
  std::span<const layer_type* const> parts = {};
};

}  // namespace axismask
