// What a layer's attributes can be. Each type here says what part the attribute plays; a layer is a struct of them.
#pragma once

#include <array>
#include <cstdint>
#include <limits>
#include <string_view>

#include "axismask/arrays/array.hpp"
#include "axismask/messages/text.hpp"

namespace axismask {

enum class attribute_kind : std::uint8_t {
  masked_value,     // what stands where the mask is false
  parameter,        // a whole number, or one for each index of some axes of the logits
  query_positions,  // the name of a side input: integer positions over the query axis
  kv_positions,  // the name of a side input: integer positions over the query axis' name, brought to the key/value axis
  integers,      // the name of a side input: integers over any axes of the logits
  mask,          // the name of a side input: booleans over any axes of the logits
  query_axis,    // the name of the logits' query axis
  kv_axis,       // the name of the logits' key/value axis
};

// The value to substitute for masked-out logits. A number must fit the logits' dtype: -2.38e38 is an error for
// float16, not -inf. Minus infinity is never meant by accident, so it is asked for by name.
class masked_value {
 public:
  static constexpr attribute_kind kind = attribute_kind::masked_value;
  enum class meaning : std::uint8_t { number, lowest, minus_infinity };

  constexpr masked_value(double number) : number_(number) {}  // NOLINT: implicit, an attribute is written as a number

  // The lowest finite number of the logits' dtype.
  [[nodiscard]] static constexpr masked_value lowest() {
    return {meaning::lowest, std::numeric_limits<double>::lowest()};
  }
  [[nodiscard]] static constexpr masked_value minus_infinity() {
    return {meaning::minus_infinity, -std::numeric_limits<double>::infinity()};
  }

  friend constexpr bool operator==(const masked_value&, const masked_value&) = default;

  [[nodiscard]] constexpr meaning means() const { return means_; }
  [[nodiscard]] constexpr double number() const { return number_; }

 private:
  constexpr masked_value(meaning means, double number) : means_(means), number_(number) {}

  meaning means_ = meaning::number;
  double number_;
};

// What becomes of a row of which the mask keeps nothing: one query, and one index of every further axis. A padding
// query has such a row. It goes with a layer, and is none of its attributes (empty_rows.hpp; in a spec the key
// "empty_rows").
enum class empty_row_rule : std::uint8_t {
  masked,     // masked as any other: a softmax over it is uniform, or NaN where the masked value is -inf
  error,      // the call is an error, and writes nothing
  keep_self,  // the logits whose key has the query's own position are kept, and nothing else
};

// As they are called in specs.
inline constexpr std::array<std::string_view, 3> empty_row_rule_names{"masked", "error", "keep_self"};

// A whole number of at least 1, known at run time: a window, a chunk.
struct count {
  static constexpr attribute_kind kind = attribute_kind::parameter;
  static constexpr std::int64_t lowest = 1;

  std::int64_t value;

  constexpr count(std::int64_t number) : value(number) {}  // NOLINT: implicit, an attribute is written as a number
};

// A whole number of at least 0, known at run time: how many keys to one side.
struct whole {
  static constexpr attribute_kind kind = attribute_kind::parameter;
  static constexpr std::int64_t lowest = 0;

  std::int64_t value;

  constexpr whole(std::int64_t number) : value(number) {}  // NOLINT: implicit, an attribute is written as a number
};

// The same, known at compile time: `constant<512>`.
template <std::int64_t Value>
struct constant {
  static constexpr attribute_kind kind = attribute_kind::parameter;
  static constexpr std::int64_t value = Value;
};

// One number for each index of some axes of the logits: a window for each head.
template <class Axes>
using counts_over = named_view<const std::int64_t, Axes>;

// The name of a side input, or of an axis of the logits. Such an attribute has no state: its type is its name.
template <text Name, attribute_kind Kind>
struct named_attribute {
  static constexpr attribute_kind kind = Kind;
  static constexpr std::string_view name = Name.view();
};
template <text Name>
struct query_positions : named_attribute<Name, attribute_kind::query_positions> {};
template <text Name>
struct kv_positions : named_attribute<Name, attribute_kind::kv_positions> {};
// Integers along the same axes that are no positions: the document of each token.
template <text Name>
struct query_ids : named_attribute<Name, attribute_kind::query_positions> {
  static constexpr bool are_ids = true;
};
template <text Name>
struct kv_ids : named_attribute<Name, attribute_kind::kv_positions> {
  static constexpr bool are_ids = true;
};
template <text Name>
struct integers : named_attribute<Name, attribute_kind::integers> {};
template <text Name>
struct mask : named_attribute<Name, attribute_kind::mask> {};
template <text Name>
struct query_axis : named_attribute<Name, attribute_kind::query_axis> {};
template <text Name>
struct kv_axis : named_attribute<Name, attribute_kind::kv_axis> {};

// Can a layer have an attribute of this type, and which part does it play?
template <class T>
inline constexpr bool is_counts_over = false;
template <class Axes>
inline constexpr bool is_counts_over<counts_over<Axes>> = true;

template <class T>
concept attribute = is_counts_over<T> || requires { T::kind; };

template <attribute T>
[[nodiscard]] consteval attribute_kind kind_of() {
  if constexpr (is_counts_over<T>) {
    return attribute_kind::parameter;
  } else {
    return T::kind;
  }
}

// The lowest number that a parameter of this type may be: 1 unless the type says another.
template <attribute T>
[[nodiscard]] consteval std::int64_t lowest_of() {
  if constexpr (kind_of<T>() == attribute_kind::parameter && requires { T::lowest; }) {
    return T::lowest;
  } else {
    return 1;
  }
}

// Side inputs that lie along the query axis or the key/value axis.
[[nodiscard]] constexpr bool is_positions(attribute_kind kind) {
  return kind == attribute_kind::query_positions || kind == attribute_kind::kv_positions;
}

// The parts that come to `keep` as operands: the side inputs, then the parameters.
[[nodiscard]] constexpr bool is_side_input(attribute_kind kind) {
  return is_positions(kind) || kind == attribute_kind::integers || kind == attribute_kind::mask;
}

}  // namespace axismask
