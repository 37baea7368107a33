// A layer as a dictionary of its fields, and back.
#pragma once

#include <cstddef>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>

#include "axismask/layer/reflection.hpp"
#include "axismask/messages/require.hpp"
#include "axismask/messages/text.hpp"
#include "axismask/structure/fields.hpp"
#include "axismask/structure/rebuild.hpp"
#include "axismask/structure/structure_breach.hpp"
#include "axismask/structure/structure_words.hpp"
#include "axismask/structure/values.hpp"

namespace axismask {

// Every field of a layer with its value, in the layer's order.
template <declared_layer Layer>
class attributes_of_layer {
 public:
  constexpr explicit attributes_of_layer(const Layer& layer) : layer_(layer) {}

  [[nodiscard]] static constexpr std::size_t size() { return detail::attribute_count<Layer>; }

  // The value of a field. For a field that is a name it is the attribute, whose `.name` is the name.
  template <text Field>
  [[nodiscard]] constexpr const auto& at() const {
    detail::check_field<Layer, "attributes_dict", Field>();
    return detail::attribute_of<Layer, detail::field_at<Layer, Field>>(layer_);
  }

  // Calls `visit(name, value)` for each field.
  template <class Visit>
  constexpr void for_each(Visit visit) const {
    [&]<std::size_t... Index>(std::index_sequence<Index...>) {
      (visit(attribute_records<Layer>[Index].name, detail::attribute_of<Layer, Index>(layer_)), ...);
    }(std::make_index_sequence<size()>());
  }

  [[nodiscard]] constexpr const Layer& layer() const { return layer_; }

 private:
  Layer layer_;
};

// Gives every field of a layer by name: `attributes_dict(layer).at<"sliding_window_size">()`.
template <declared_layer Layer>
[[nodiscard]] constexpr attributes_of_layer<Layer> attributes_dict(const Layer& layer) {
  return attributes_of_layer<Layer>(layer);
}

namespace detail {

template <class Layer, text Field, class... Fields>
inline constexpr bool field_is_given = ((Fields::field_name == Field.view()) || ...);
template <class Layer, text Field, class... Fields>
inline constexpr bool field_is_given_once = ((Fields::field_name == Field.view() ? 1 : 0) + ... + 0) < 2;

// Can the layer's type hold the value: is it the same name, or a leaf of the same type?
template <class Layer, text Field, class Value>
inline constexpr bool value_is_the_fields = [] {
  constexpr std::size_t index = field_at<Layer, Field>;
  if constexpr (is_leaf(attribute_records<Layer>[index].kind)) {
    return std::is_same_v<attribute_for_t<attribute_type<Layer, index>, Value>, attribute_type<Layer, index>>;
  } else if constexpr (requires { Value::name; }) {
    return Value::name == attribute_records<Layer>[index].default_name;
  } else {
    return false;
  }
}();

template <class Layer, text Field>
[[nodiscard]] constexpr breach::sentence value_is_not_the_fields() {
  constexpr std::size_t index = field_at<Layer, Field>;
  if (is_leaf(attribute_records<Layer>[index].kind)) return value_of_other_type<Layer, index>();
  return breach::field_has_other_name(Field.view(), attribute_records<Layer>[index].default_name);
}

// Checks a field that is given: the layer has it, it is given once, and its value fits.
template <class Layer, text Field, class Value, class... Fields>
constexpr void check_given_field() {
  check_field<Layer, "from_attributes", Field>();
  AXISMASK_REQUIRE((field_is_given_once<Layer, Field, Fields...>),
                   said_in<Layer>("from_attributes", breach::field_twice(Field.view())),
                   "from_attributes requires each field once; leave one of them out");
  if constexpr (layer_has_field<Layer, Field>) {
    AXISMASK_REQUIRE((value_is_the_fields<Layer, Field, Value>),
                     said_in<Layer>("from_attributes", value_is_not_the_fields<Layer, Field>()),
                     "from_attributes requires values of the fields' types, and the names that are in the layer's "
                     "type; give such a value, or name the layer's type with your names");
  }
}

template <class Layer, text Field, class... Fields>
constexpr void check_wanted_field() {
  AXISMASK_REQUIRE((field_is_given<Layer, Field, Fields...>),
                   said_in<Layer>("from_attributes", breach::field_missing(Field.view())),
                   "from_attributes requires every field of the layer; give it, names too");
}

template <class Layer, class... Fields>
inline constexpr bool every_field_is_given = []<std::size_t... Index>(std::index_sequence<Index...>) {
  return (field_is_given<Layer, name_text<Layer, Index>(), Fields...> && ...);
}(std::make_index_sequence<attribute_count<Layer>>());

// The attribute at an index, of the fields that are given.
template <class Layer, std::size_t Index, class First, class... Rest>
[[nodiscard]] constexpr auto given_attribute(const First& first, const Rest&... rest) {
  if constexpr (First::field_name == attribute_records<Layer>[Index].name) {
    if constexpr (is_leaf(attribute_records<Layer>[Index].kind)) {
      return as_attribute<attribute_type<Layer, Index>>(first.value);
    } else {
      return attribute_type<Layer, Index>();
    }
  } else {
    return given_attribute<Layer, Index>(rest...);
  }
}

}  // namespace detail

// Makes a layer from all its fields, each by name, in any order. A field that is missing, unknown, given twice or of
// another type is a compile error. The struct's braces do without those fields that are names.
//   from_attributes<ApplyCausalAttentionMask<>>(field<"masked_out_value">(-1e9),
//       field<"query_positions_input_name", "token_positions">(), ...)
template <declared_layer Layer, text... Names, class... Values>
[[nodiscard]] constexpr Layer from_attributes(const named_field<Names, Values>&... fields) {
  (detail::check_given_field<Layer, Names, Values, named_field<Names, Values>...>(), ...);
  // A field that is unknown or given twice is an error already; then none is missing.
  constexpr bool are_known =
      (detail::layer_has_field_once<Layer, Names> && ...) && (detail::layer_has_field<Layer, Names> && ...);
  constexpr bool are_complete = detail::every_field_is_given<Layer, named_field<Names, Values>...>;
  return [&]<std::size_t... Index>(std::index_sequence<Index...>) {
    if constexpr (are_known) {
      (detail::check_wanted_field<Layer, detail::name_text<Layer, Index>(), named_field<Names, Values>...>(), ...);
    }
    if constexpr (are_known && are_complete && (detail::value_is_the_fields<Layer, Names, Values> && ...)) {
      return detail::built<Layer>(std::make_tuple(detail::given_attribute<Layer, Index>(fields...)...));
    } else {
      return detail::nothing_after_an_error<Layer>();
    }
  }(std::make_index_sequence<detail::attribute_count<Layer>>());
}

template <declared_layer Layer>
[[nodiscard]] constexpr Layer from_attributes(const attributes_of_layer<Layer>& attributes) {
  return attributes.layer();
}

// Gives the key of a field in the path to a leaf: `key_for_field<"sliding_window_size">(layer)`.
template <text Field, declared_layer Layer>
[[nodiscard]] constexpr attribute_key key_for_field(const Layer&) {
  detail::check_field<Layer, "key_for_field", Field>();
  return {attribute_records<Layer>[detail::field_at<Layer, Field>].name};
}

}  // namespace axismask
