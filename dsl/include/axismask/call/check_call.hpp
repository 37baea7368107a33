// The checks that the compiler makes of a call, from the types of its arrays.
#pragma once

#include <array>
#include <cstddef>
#include <string_view>
#include <type_traits>
#include <utility>

#include "axismask/arrays/axis.hpp"
#include "axismask/arrays/dtype.hpp"
#include "axismask/call/call_breach.hpp"
#include "axismask/layer/attributes.hpp"
#include "axismask/layer/check_layer.hpp"
#include "axismask/layer/reflection.hpp"
#include "axismask/messages/require.hpp"
#include "axismask/messages/text.hpp"

namespace axismask {

namespace detail {

// The names of a call's side inputs.
template <class... Inputs>
inline constexpr std::array<std::string_view, sizeof...(Inputs)> given_names{Inputs::name.view()...};

// The names of the side inputs that a layer takes, each once.
template <class Layer>
class taken {
 public:
  constexpr taken() {
    for (const attribute_record& record : attribute_records<Layer>) {
      if (is_side_input(record.kind) && !contains(*this, record.default_name)) names_[size_++] = record.default_name;
    }
  }
  constexpr operator breach::names() const { return {names_.data(), size_}; }  // NOLINT: it is a list of names

 private:
  std::array<std::string_view, operand_count<Layer>> names_{};
  std::size_t size_ = 0;
};
template <class Layer>
inline constexpr taken<Layer> taken_names{};

template <class Layer>
[[nodiscard]] constexpr phrase said_of(std::string_view argument, const breach::sentence& sentence) {
  return name_of<Layer>() + "(" + argument + "): " + sentence.what + "; " + sentence.cure;
}

// What the checks of a call ask. Each names in its arguments what a compiler should print.
template <class Layer, text Axis, class LogitsAxes>
inline constexpr bool logits_have_axis = has_axis<LogitsAxes, axis<Axis>>;
template <class Layer, text Input, class... Given>
inline constexpr bool side_input_is_given = contains(given_names<Given...>, Input.view());
template <class Layer, text Input>
inline constexpr bool side_input_is_taken = contains(taken_names<Layer>, Input.view());
template <class Layer, text Input, class... Given>
inline constexpr bool side_input_is_given_once = ((Given::name.view() == Input.view() ? 1 : 0) + ... + 0) == 1;
template <class Layer, class Element>
inline constexpr bool logits_are_floats = info(element_dtype<Element>::value).is_float;
template <class Layer, text Input, class Element>
inline constexpr bool positions_are_integers =
    element_dtype<Element>::value == dtype::int32 || element_dtype<Element>::value == dtype::int64;
template <class Layer, text Input, class Element>
inline constexpr bool mask_is_boolean = element_dtype<Element>::value == dtype::boolean;
template <class Layer, text Input, text Axis, class InputAxes>
inline constexpr bool side_input_has_axis = has_axis<InputAxes, axis<Axis>>;
template <class Layer, text Input, text QueryAxis, text KvAxis, class InputAxes>
inline constexpr bool keys_have_an_axis = has_axis<InputAxes, axis<QueryAxis>> || has_axis<InputAxes, axis<KvAxis>>;
template <class Layer, text Input, text QueryAxis, text KvAxis, class InputAxes>
inline constexpr bool keys_have_distinct_axes =
    !(has_axis<InputAxes, axis<QueryAxis>> && has_axis<InputAxes, axis<KvAxis>>);
template <class Layer, text Array, text Axis, class LogitsAxes>
inline constexpr bool axis_is_the_logits = has_axis<LogitsAxes, axis<Axis>>;
template <class Layer, class Element>
inline constexpr bool result_can_be_written = !std::is_const_v<Element>;
template <class Layer, class Element, class LogitsElement>
inline constexpr bool result_has_the_logits_type = std::is_same_v<std::remove_const_t<Element>, LogitsElement>;
template <class Layer, class Axes, class LogitsAxes>
inline constexpr bool result_has_the_logits_axes = has_only_axes<Axes, LogitsAxes> && has_only_axes<LogitsAxes, Axes>;

// Checks that the logits have the axis that the attribute at `Index` names.
template <class Layer, std::size_t Index, text Axis, class LogitsAxes>
constexpr void check_logits_axis() {
  AXISMASK_REQUIRE((logits_have_axis<Layer, Axis, LogitsAxes>),
                   said_of<Layer>("logits", breach::logits_lack_axis(Axis.view(), attribute_records<Layer>[Index].name,
                                                                     LogitsAxes::names)),
                   "the logits require the layer's axes; give that axis of the logits this name, or the logits' own "
                   "name to the layer's attribute");
}

template <class Layer, std::size_t Index, class LogitsAxes>
inline constexpr bool logits_have_axis_at = [] {
  if constexpr (Index < attribute_count<Layer>) {
    return logits_have_axis<Layer, attribute_text<Layer, Index>(), LogitsAxes>;
  } else {
    return true;
  }
}();

// The axes of the logits that an array lies along: positions of keys may call the key/value axis by the query axis'
// name.
template <class Layer, std::size_t Index, class Axes>
[[nodiscard]] constexpr auto axes_on_logits() {
  if constexpr (attribute_records<Layer>[Index].kind == attribute_kind::kv_positions) {
    constexpr auto query_axis = attribute_text<Layer, index_of<Layer>(attribute_kind::query_axis)>();
    constexpr auto kv_axis = attribute_text<Layer, index_of<Layer>(attribute_kind::kv_axis)>();
    return std::type_identity<typename renamed<Axes, query_axis, kv_axis>::type>();
  } else {
    return std::type_identity<Axes>();
  }
}

// A function for each axis, with no more template arguments than its message needs: queries and keys that share an
// array then share the instantiation, and so the error.
template <class Layer, text Array, text Axis, class LogitsAxes>
constexpr void check_axis_on_logits() {
  AXISMASK_REQUIRE((axis_is_the_logits<Layer, Array, Axis, LogitsAxes>),
                   said_of<Layer>(Array.view(), breach::foreign_axis(Axis.view(), LogitsAxes::names)),
                   "each axis of a side input or parameter requires the logits to have it; rename the axis, or take it "
                   "out of the array");
}

template <class Layer, text Array, class LogitsAxes, text... Names>
constexpr void check_axes_on_logits(axes<Names...>) {
  (check_axis_on_logits<Layer, Array, Names, LogitsAxes>(), ...);
}

template <class Layer, text Input, class Element>
constexpr void check_positions_are_integers() {
  AXISMASK_REQUIRE((positions_are_integers<Layer, Input, Element>),
                   said_of<Layer>(Input.view(), breach::positions_not_integers(element_dtype<Element>::value)),
                   "positions require integers; give int32 or int64");
}

template <class Layer, text Input, text QueryAxis, class Axes>
constexpr void check_query_positions_axis() {
  AXISMASK_REQUIRE((side_input_has_axis<Layer, Input, QueryAxis, Axes>),
                   said_of<Layer>(Input.view(), breach::side_input_lacks_axis(QueryAxis.view(), Axes::names)),
                   "positions of queries require the layer's seq_axis; give the array that axis");
}

template <class Layer, text Input, text QueryAxis, text KvAxis, class Axes>
constexpr void check_key_positions_axis() {
  AXISMASK_REQUIRE(
      (keys_have_an_axis<Layer, Input, QueryAxis, KvAxis, Axes>),
      said_of<Layer>(Input.view(), breach::key_positions_lack_axis(QueryAxis.view(), KvAxis.view(), Axes::names)),
      "positions of keys require the layer's kv_seq_axis or its seq_axis; give the array one of the two");
  AXISMASK_REQUIRE((keys_have_distinct_axes<Layer, Input, QueryAxis, KvAxis, Axes>),
                   said_of<Layer>(Input.view(), breach::key_axis_twice(QueryAxis.view(), KvAxis.view())),
                   "positions of keys require the layer's kv_seq_axis, or its seq_axis in the place of it; leave one "
                   "of the two out");
}

template <class Layer, text Input, class Element>
constexpr void check_integers() {
  AXISMASK_REQUIRE((positions_are_integers<Layer, Input, Element>),
                   said_of<Layer>(Input.view(), breach::not_integers(element_dtype<Element>::value)),
                   "a side input of numbers requires integers; give int32 or int64");
}

template <class Layer, text Input, class Element>
constexpr void check_mask() {
  AXISMASK_REQUIRE((mask_is_boolean<Layer, Input, Element>),
                   said_of<Layer>(Input.view(), breach::mask_not_boolean(element_dtype<Element>::value)),
                   "a mask requires booleans; give bool");
}

// Does the side input give positions of queries, whether or not it gives those of keys too?
template <class Layer, text Input>
inline constexpr bool gives_query_positions = [] {
  for (const attribute_record& record : attribute_records<Layer>) {
    if (record.kind == attribute_kind::query_positions && record.default_name == Input.view()) return true;
  }
  return false;
}();

// Has the array of positions of the attribute at `Index` an axis that it may lie along?
template <class Layer, std::size_t Index, text Input, class Axes>
inline constexpr bool has_position_axis = [] {
  constexpr auto query_axis = attribute_text<Layer, index_of<Layer>(attribute_kind::query_axis)>();
  if constexpr (attribute_records<Layer>[Index].kind == attribute_kind::kv_positions &&
                !gives_query_positions<Layer, Input>) {
    constexpr auto kv_axis = attribute_text<Layer, index_of<Layer>(attribute_kind::kv_axis)>();
    return has_axis<Axes, axis<query_axis>> || has_axis<Axes, axis<kv_axis>>;
  } else {
    return has_axis<Axes, axis<query_axis>>;
  }
}();

// Checks the array of the side input that the attribute at `Index` names, if `Input` is that one. Positions without the
// axis that they need get that error only: their other axes are not checked.
template <class Layer, std::size_t Index, class Input, class LogitsAxes>
constexpr void check_side_input_for() {
  if constexpr (Input::name.view() == attribute_records<Layer>[Index].default_name) {
    constexpr attribute_kind kind = attribute_records<Layer>[Index].kind;
    using axes_type = typename Input::view_type::axes_type;
    using element_type = std::remove_const_t<typename Input::view_type::element_type>;
    using on_logits = typename decltype(axes_on_logits<Layer, Index, axes_type>())::type;
    if constexpr (is_positions(kind)) {
      check_positions_are_integers<Layer, Input::name, element_type>();
      constexpr auto query_axis = attribute_text<Layer, index_of<Layer>(attribute_kind::query_axis)>();
      if constexpr (gives_query_positions<Layer, Input::name>) {
        check_query_positions_axis<Layer, Input::name, query_axis, axes_type>();
      }
      // A layer with positions of queries only may have no key axis.
      if constexpr (kind == attribute_kind::kv_positions) {
        constexpr auto kv_axis = attribute_text<Layer, index_of<Layer>(attribute_kind::kv_axis)>();
        if constexpr (!gives_query_positions<Layer, Input::name> || has_axis<axes_type, axis<query_axis>>) {
          check_key_positions_axis<Layer, Input::name, query_axis, kv_axis, axes_type>();
        }
      }
      if constexpr (has_position_axis<Layer, Index, Input::name, axes_type> && has_distinct_axes<on_logits>) {
        check_axes_on_logits<Layer, Input::name, LogitsAxes>(on_logits());
      }
    } else {
      if constexpr (is_boolean_operand(kind)) {
        check_mask<Layer, Input::name, element_type>();
      } else {
        check_integers<Layer, Input::name, element_type>();
      }
      check_axes_on_logits<Layer, Input::name, LogitsAxes>(on_logits());
    }
  }
}

// Checks that the layer takes the side input `Input`, and that the call gives it once.
template <class Layer, text Input, class... Inputs>
constexpr void check_given() {
  AXISMASK_REQUIRE((side_input_is_taken<Layer, Input>),
                   said_of<Layer>(Input.view(), breach::side_input_unknown(Input.view(), taken_names<Layer>)),
                   "a call requires side inputs that the layer takes; leave it out, or give it the name that the layer "
                   "uses");
  AXISMASK_REQUIRE((side_input_is_given_once<Layer, Input, Inputs...>),
                   said_of<Layer>(Input.view(), breach::side_input_twice(Input.view())),
                   "a call requires each side input once; leave one of them out");
}

// Is this the first attribute that names its side input? Attributes that share one report it once.
template <class Layer, std::size_t Index>
inline constexpr bool is_first_of_its_name = [] {
  for (std::size_t index = 0; index < Index; ++index) {
    const attribute_record& record = attribute_records<Layer>[index];
    if (is_side_input(record.kind) && record.default_name == attribute_records<Layer>[Index].default_name) return false;
  }
  return true;
}();

// Checks that the call gives the side input that the attribute at `Index` names.
template <class Layer, std::size_t Index, text Input, class... Inputs>
constexpr void check_taken() {
  AXISMASK_REQUIRE(
      (side_input_is_given<Layer, Input, Inputs...>),
      said_of<Layer>(Input.view(), breach::side_input_missing(Input.view(), attribute_records<Layer>[Index].name,
                                                              given_names<Inputs...>)),
      "a call requires every side input of the layer; give it, or set the layer's attribute that names it");
}

template <class Layer, std::size_t Index, class LogitsAxes, class... Inputs>
constexpr void check_attribute() {
  if constexpr (is_side_input(attribute_records<Layer>[Index].kind)) {
    // A misspelt side input is reported as unknown; that the right one is missing then goes without saying.
    if constexpr (is_first_of_its_name<Layer, Index> && (side_input_is_taken<Layer, Inputs::name> && ...)) {
      check_taken<Layer, Index, attribute_text<Layer, Index>(), Inputs...>();
    }
    (check_side_input_for<Layer, Index, Inputs, LogitsAxes>(), ...);
  } else if constexpr (is_counts_over<attribute_type<Layer, Index>>) {
    check_axes_on_logits<Layer, name_text<Layer, Index>(), LogitsAxes>(
        typename attribute_type<Layer, Index>::axes_type());
  }
}

// Checks everything that the types of a call's arrays tell. What depends on an axis that the logits lack is left out,
// so that one mistake gives one error.
template <class Layer, class Logits, class... Inputs>
constexpr void check_call() {
  check_layer<Layer>();
  if constexpr (is_layer<Layer>) {
    using logits_axes = typename Logits::axes_type;
    using element_type = std::remove_const_t<typename Logits::element_type>;
    AXISMASK_REQUIRE((logits_are_floats<Layer, element_type>),
                     said_of<Layer>("logits", breach::logits_not_floats(element_dtype<element_type>::value)),
                     "logits require floats; give float16, bfloat16, float32 or float64");
    constexpr std::size_t query_axis = index_of<Layer>(attribute_kind::query_axis);
    constexpr std::size_t kv_axis = index_of<Layer>(attribute_kind::kv_axis);
    if constexpr (query_axis < attribute_count<Layer>) {
      check_logits_axis<Layer, query_axis, attribute_text<Layer, query_axis>(), logits_axes>();
    }
    if constexpr (kv_axis < attribute_count<Layer>) {
      check_logits_axis<Layer, kv_axis, attribute_text<Layer, kv_axis>(), logits_axes>();
    }
    if constexpr (logits_have_axis_at<Layer, query_axis, logits_axes> &&
                  logits_have_axis_at<Layer, kv_axis, logits_axes>) {
      (check_given<Layer, Inputs::name, Inputs...>(), ...);
      [&]<std::size_t... Index>(std::index_sequence<Index...>) {
        (check_attribute<Layer, Index, logits_axes, Inputs...>(), ...);
      }(std::make_index_sequence<attribute_count<Layer>>());
    }
  }
}

// Checks what the types tell of the array for the result.
template <class Layer, class Element, class Axes, class LogitsElement, class LogitsAxes>
constexpr void check_result() {
  AXISMASK_REQUIRE((result_can_be_written<Layer, Element>), said_of<Layer>("result", breach::result_const()),
                   "the result requires memory that can be written; give an array of elements that are not const");
  AXISMASK_REQUIRE(
      (result_has_the_logits_type<Layer, Element, LogitsElement>),
      said_of<Layer>("result", breach::result_of_other_type(element_dtype<std::remove_const_t<Element>>::value,
                                                            element_dtype<LogitsElement>::value)),
      "the result requires the logits' element type; give an array of that type");
  AXISMASK_REQUIRE((result_has_the_logits_axes<Layer, Axes, LogitsAxes>),
                   said_of<Layer>("result", breach::result_of_other_axes(Axes::names, LogitsAxes::names)),
                   "the result requires the logits' axes; give an array with the same axes, in any order");
}

}  // namespace detail

}  // namespace axismask
