// Binds a layer's variables to values: for good, or for one call.
#pragma once

#include <array>
#include <cstddef>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>

#include "axismask/call/check_call.hpp"
#include "axismask/layer/reflection.hpp"
#include "axismask/messages/require.hpp"
#include "axismask/messages/text.hpp"
#include "axismask/structure/fields.hpp"
#include "axismask/structure/rebuild.hpp"
#include "axismask/structure/structure_breach.hpp"
#include "axismask/structure/structure_words.hpp"
#include "axismask/structure/values.hpp"
#include "axismask/structure/variable.hpp"

namespace axismask {

namespace detail {

template <class Layer>
inline constexpr auto labels = [] {
  std::array<std::string_view, attribute_count<Layer>> result{};
  [&]<std::size_t... Index>(std::index_sequence<Index...>) {
    const auto label = []<class Attribute>(std::type_identity<Attribute>) {
      if constexpr (is_variable<Attribute>) {
        return Attribute::label;
      } else {
        return std::string_view();
      }
    };
    result = {label(std::type_identity<attribute_type<Layer, Index>>())...};
  }(std::make_index_sequence<attribute_count<Layer>>());
  return result;
}();

// A layer's variables, each once, in its order.
template <class Layer>
class variables {
 public:
  constexpr variables() {
    for (const std::string_view label : labels<Layer>) {
      if (!label.empty() && !contains(*this, label)) labels_[size_++] = label;
    }
  }
  constexpr operator breach::names() const { return {labels_.data(), size_}; }  // NOLINT: it is a list of names

 private:
  std::array<std::string_view, attribute_count<Layer>> labels_{};
  std::size_t size_ = 0;
};
template <class Layer>
inline constexpr variables<Layer> variables_of{};

template <class Layer, text Label>
inline constexpr bool layer_has_variable = contains(variables_of<Layer>, Label.view());
template <class Layer, text Label, text... Given>
inline constexpr bool variable_is_given_once = ((Given.view() == Label.view() ? 1 : 0) + ... + 0) < 2;

template <class Layer, text Label, class Value>
inline constexpr bool value_fits_variable = []<std::size_t... Index>(std::index_sequence<Index...>) {
  return ((labels<Layer>[Index] != Label.view() || value_can_stand_for<Layer, Index, Value>) && ...);
}(std::make_index_sequence<attribute_count<Layer>>());

// Checks a value that is given for a variable: the layer has the variable, gets one value for it, and one that fits.
template <class Layer, text Function, bool AllowUnused, text Label, class Value, text... Given>
constexpr void check_variable() {
  AXISMASK_REQUIRE((variable_is_given_once<Layer, Label, Given...>),
                   said_in<Layer>(Function.view(), breach::variable_twice(Label.view())),
                   "each variable requires one value; leave one of them out");
  if constexpr (!AllowUnused) {
    AXISMASK_REQUIRE(
        (layer_has_variable<Layer, Label>),
        said_in<Layer>(Function.view(), breach::variable_unknown(Label.view(), variables_of<Layer>)),
        "a value requires a variable of that name in the layer; leave it out, or bind it with allow_unused");
  }
  AXISMASK_REQUIRE(
      (value_fits_variable<Layer, Label, Value>),
      said_in<Layer>(Function.view(), breach::field_of_other_type(
                                          Label.view(), "a number, or an attribute that can stand in its place")),
      "a variable requires a value that can stand in its place; give a number, or an attribute of the "
      "same part");
}

// The value that is given for an attribute, when it is a variable; else the attribute.
template <class Attribute>
[[nodiscard]] constexpr auto bound(const Attribute& attribute) {
  return attribute;
}
template <class Attribute, class First, class... Rest>
[[nodiscard]] constexpr auto bound(const Attribute& attribute, const First& first, const Rest&... rest) {
  if constexpr (is_variable<Attribute>) {
    if constexpr (Attribute::label == First::label) {
      return as_attribute<Attribute>(first.value);
    } else {
      return bound(attribute, rest...);
    }
  } else {
    return attribute;
  }
}

template <text Function, bool AllowUnused, class Layer, text... Labels, class... Values>
[[nodiscard]] constexpr auto bind(const Layer& layer, const variable_value<Labels, Values>&... values) {
  (check_variable<Layer, Function, AllowUnused, Labels, Values, Labels...>(), ...);
  if constexpr ((value_fits_variable<Layer, Labels, Values> && ...)) {
    return rebuilt<Layer, Function>(
        replaced_attributes(layer, [&](const auto& attribute, auto) { return bound(attribute, values...); }));
  } else {
    return nothing_after_an_error<Layer>();
  }
}

}  // namespace detail

// Gives the layer with values instead of variables. A variable that several leaves share is bound in all of them;
// variables without a value stay variables. A value without a variable is a compile error, unless `allow_unused` is
// given.
//   bind_variables(layer, value<"window">(512))
template <declared_layer Layer, text... Labels, class... Values>
[[nodiscard]] constexpr auto bind_variables(const Layer& layer, const variable_value<Labels, Values>&... values) {
  return detail::bind<"bind_variables", false>(layer, values...);
}
template <declared_layer Layer, text... Labels, class... Values>
[[nodiscard]] constexpr auto bind_variables(const Layer& layer, allow_unused_t,
                                            const variable_value<Labels, Values>&... values) {
  return detail::bind<"bind_variables", true>(layer, values...);
}

// Calls the layer with values for its variables; the layer itself stays unbound. Gives a pair: the masked logits, and
// the variables' values after the call, as in penzai. A mask changes none, so these are the values that were given.
//   const auto [masked, values] = stateless_call(layer, std::tuple(value<"window">(512)), logits,
//                                                input<"token_positions">(positions));
template <declared_layer Layer, text... Labels, class... Values, class Logits, class... Inputs>
[[nodiscard]] auto stateless_call(const Layer& layer, const std::tuple<variable_value<Labels, Values>...>& values,
                                  Logits&& logits, const Inputs&... inputs) {
  const auto bound =
      std::apply([&](const auto&... each) { return detail::bind<"stateless_call", false>(layer, each...); }, values);
  return std::pair(bound(logits, inputs...), values);
}

}  // namespace axismask
