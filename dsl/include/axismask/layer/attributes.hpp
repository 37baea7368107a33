// The types of a layer's attributes. Each type has a kind, `attribute_kind`; a layer is a struct of them.
//
// The room layer/ holds what a layer is: its attributes, its struct as the compiler reads it, its record.
// What may never enter it: arrays of a call, and the macro.
#pragma once

#include <array>
#include <cstdint>
#include <initializer_list>
#include <limits>
#include <string_view>
#include <type_traits>

#include "axismask/messages/text.hpp"

namespace axismask {

// In arrays/named_view.hpp. Only declared: window.hpp needs `count`, and no arrays.
template <class T, class Axes>
class named_view;

enum class attribute_kind : std::uint8_t {
  masked_value,     // what stands where the mask is false
  parameter,        // a whole number, or one for each index of some axes of the logits
  query_positions,  // the name of a side input: integer positions over the query axis
  kv_positions,  // the name of a side input: integer positions over the key/value axis, or the query axis' name for it
  integers,      // the name of a side input: integers over any axes of the logits
  mask,          // the name of a side input: booleans over any axes of the logits
  query_axis,    // the name of the logits' query axis
  kv_axis,       // the name of the logits' key/value axis
};

// What the value of an attribute is, in specs, edits and calls.
enum class attribute_form : std::uint8_t { masked_value, numbers, name };

// What `keep` gets of an attribute, if anything.
enum class operand : std::uint8_t { none, number, boolean };

// What the rest of the library asks of a kind of attribute. A new kind needs a type below and an entry in `info`.
struct attribute_kind_info {
  attribute_form form = attribute_form::name;
  bool is_side_input = false;  // names an array that each call gives
  bool is_positions = false;   // that array lies along the query axis or the key/value axis
  bool is_axis_name = false;   // names an axis of the logits
  operand operand_type = operand::none;

  // What a value of this kind is, as words after "give": in an edit in C++ (structure.hpp) or for a name that is empty,
  // in an edit of a layer of a spec (layer_structure.hpp), and in the spec itself.
  std::string_view wanted;
  std::string_view wanted_in_edit;
  std::string_view wanted_in_spec;
};

[[nodiscard]] constexpr attribute_kind_info info(attribute_kind kind) {
  constexpr std::string_view side_input = "the name of a side input";
  constexpr std::string_view axis = "the name of an axis of the logits";
  switch (kind) {
    case attribute_kind::masked_value:
      return {.form = attribute_form::masked_value,
              .wanted = "a number or a masked_value",
              .wanted_in_edit = "a number, a masked_value or a variable",
              .wanted_in_spec = R"(a number, "lowest" or "-inf")"};
    case attribute_kind::parameter:
      return {.form = attribute_form::numbers,
              .operand_type = operand::number,
              .wanted = "a whole number, count, constant or counts_over",
              .wanted_in_edit = "a whole number, numbers for each index of an axis, or a variable",
              // After the numbers that it may be.
              .wanted_in_spec = R"(or one for each index of an axis: {"axis": "heads", "values": [512, 1024]})"};
    case attribute_kind::query_positions:
    case attribute_kind::kv_positions:
      return {.is_side_input = true,
              .is_positions = true,
              .operand_type = operand::number,
              .wanted = side_input,
              .wanted_in_edit = "a name",
              .wanted_in_spec = side_input};
    case attribute_kind::integers:
      return {.is_side_input = true,
              .operand_type = operand::number,
              .wanted = side_input,
              .wanted_in_edit = "a name",
              .wanted_in_spec = side_input};
    case attribute_kind::mask:
      return {.is_side_input = true,
              .operand_type = operand::boolean,
              .wanted = side_input,
              .wanted_in_edit = "a name",
              .wanted_in_spec = side_input};
    case attribute_kind::query_axis:
    case attribute_kind::kv_axis:
      return {.is_axis_name = true, .wanted = axis, .wanted_in_edit = "a name", .wanted_in_spec = axis};
  }
  return {};
}

// Values are leaves, which an edit may replace; names are structure.
[[nodiscard]] constexpr bool is_leaf(attribute_kind kind) { return info(kind).form != attribute_form::name; }
[[nodiscard]] constexpr bool is_side_input(attribute_kind kind) { return info(kind).is_side_input; }
// Side inputs that lie along the query axis or the key/value axis.
[[nodiscard]] constexpr bool is_positions(attribute_kind kind) { return info(kind).is_positions; }
[[nodiscard]] constexpr bool is_axis_name(attribute_kind kind) { return info(kind).is_axis_name; }
// `keep` gets the side inputs, and then the parameters.
[[nodiscard]] constexpr bool is_operand(attribute_kind kind) { return info(kind).operand_type != operand::none; }
[[nodiscard]] constexpr bool is_boolean_operand(attribute_kind kind) {
  return info(kind).operand_type == operand::boolean;
}

namespace detail {

// A layer is made with braces, and what is left out in them is made of an empty list: a compile error that says what to
// give. Not by a default constructor, since a mere question for one, as std::tuple asks it, would be that error.
template <class Missing>
struct nothing {};
template <class Missing>
inline constexpr bool is_given = !std::is_void_v<Missing>;
template <class Missing>
void refuse_missing_number() {
  static_assert(
      is_given<Missing>,
      "axismask: a layer requires all its numbers, and its window, chunk or the like is missing; give it after "
      "the masked value, as in {.masked_out_value = -1e9, .sliding_window_size = 512}");
}

}  // namespace detail

// The value that replaces masked-out logits: a number, the lowest of the logits' dtype, or minus infinity. A number
// beyond the range of the logits' dtype is an error of the call: -2.38e38 does not become -inf in float16. Minus
// infinity is never meant by accident, so it is asked for by name.
class masked_value {
 public:
  static constexpr attribute_kind kind = attribute_kind::masked_value;
  enum class meaning : std::uint8_t { number, lowest, minus_infinity };

  constexpr masked_value(double number) : number_(number) {}  // NOLINT: implicit, an attribute is written as a number
  template <class Missing = void>
  masked_value(std::initializer_list<detail::nothing<Missing>>) : number_(0) {
    static_assert(detail::is_given<Missing>,
                  "axismask: a layer requires its masked value, which is missing; give it first, as in "
                  "{.masked_out_value = masked_value::lowest()}");
  }

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

// The rule for empty rows: those of which the mask keeps no key. A row is one query at one index of every axis but the
// keys'; a query that is padding often has an empty one. The rule goes with a layer and is none of its attributes
// (empty_rows.hpp; in a spec the key "empty_rows").
enum class empty_row_rule : std::uint8_t {
  masked,     // masked as any other: a softmax over it is uniform, or NaN where the masked value is -inf
  error,      // the call is an error, and writes nothing
  keep_self,  // the logits whose key has the query's own position are kept, and nothing else
  zeros,      // attention gives zeros (attention.hpp); logits have no such value, and are masked as any other
};

// Does a call that masks logits, or writes a mask, look for empty rows?
[[nodiscard]] constexpr bool looks_for_rows(empty_row_rule rule) {
  return rule == empty_row_rule::error || rule == empty_row_rule::keep_self;
}

// The rules' names in specs.
inline constexpr std::array<std::string_view, 4> empty_row_rule_names{"masked", "error", "keep_self", "zeros"};

// A parameter: an integer of at least 1, known at run time, such as the keys in a window or a chunk. A lower one is an
// error of the call.
struct count {
  static constexpr attribute_kind kind = attribute_kind::parameter;
  static constexpr std::int64_t lowest = 1;

  std::int64_t value;

  constexpr count(std::int64_t number) : value(number) {}  // NOLINT: implicit, an attribute is written as a number
  template <class Missing = void>
  count(std::initializer_list<detail::nothing<Missing>>) : value(lowest) {
    detail::refuse_missing_number<Missing>();
  }
};

// A parameter: an integer of at least 0, known at run time, such as the keys that a query sees to one side. A lower one
// is an error of the call.
struct whole {
  static constexpr attribute_kind kind = attribute_kind::parameter;
  static constexpr std::int64_t lowest = 0;

  std::int64_t value;

  constexpr whole(std::int64_t number) : value(number) {}  // NOLINT: implicit, an attribute is written as a number
  template <class Missing = void>
  whole(std::initializer_list<detail::nothing<Missing>>) : value(lowest) {
    detail::refuse_missing_number<Missing>();
  }
};

// A parameter: an integer of at least 1, known at compile time, `constant<512>`. A lower one is a compile error.
template <std::int64_t Value>
struct constant {
  static constexpr attribute_kind kind = attribute_kind::parameter;
  static constexpr std::int64_t value = Value;
};

// A parameter: an int64 array over some axes of the logits, one integer of at least 1 for each index, such as a window
// for each head. The layer keeps a view and not the memory. A lower one is an error of the call.
template <class Axes>
using counts_over = named_view<const std::int64_t, Axes>;

// The name of a side input, or of an axis of the logits. Such an attribute has no state: its type is its name.
template <text Name, attribute_kind Kind>
struct named_attribute {
  static constexpr attribute_kind kind = Kind;
  static constexpr std::string_view name = Name.view();
};
// A side input: the position of each query, int32 or int64, over the query axis and any other axes of the logits.
template <text Name>
struct query_positions : named_attribute<Name, attribute_kind::query_positions> {};
// A side input: the position of each key, int32 or int64. Its array has the key/value axis, or the query axis' name for
// it, as in penzai.
template <text Name>
struct kv_positions : named_attribute<Name, attribute_kind::kv_positions> {};
// Side inputs of queries and of keys that are integers over the same axes but no positions: the document of each token.
template <text Name>
struct query_ids : named_attribute<Name, attribute_kind::query_positions> {
  static constexpr bool are_ids = true;
};
template <text Name>
struct kv_ids : named_attribute<Name, attribute_kind::kv_positions> {
  static constexpr bool are_ids = true;
};
// A side input: int32 or int64, over any axes of the logits.
template <text Name>
struct integers : named_attribute<Name, attribute_kind::integers> {};
// A side input: bool, over any axes of the logits.
template <text Name>
struct mask : named_attribute<Name, attribute_kind::mask> {};
// The name of the logits' query axis.
template <text Name>
struct query_axis : named_attribute<Name, attribute_kind::query_axis> {};
// The name of the logits' key/value axis.
template <text Name>
struct kv_axis : named_attribute<Name, attribute_kind::kv_axis> {};

// Can a layer have an attribute of this type, and of which kind is it?
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

}  // namespace axismask
