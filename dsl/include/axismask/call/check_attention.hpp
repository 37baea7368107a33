// The checks that the compiler makes of attention (attention.hpp), from the types of its arrays. Each mistake is one
// error: what depends on an axis or an array that is not right is left out, and values are looked at when keys are
// right, since what is wrong with one is often wrong with both.
#pragma once

#include <cstddef>
#include <type_traits>
#include <utility>

#include "axismask/arrays/axis.hpp"
#include "axismask/arrays/named_array.hpp"
#include "axismask/call/attention_breach.hpp"
#include "axismask/call/check_arguments.hpp"
#include "axismask/call/check_call.hpp"
#include "axismask/call/side_input.hpp"
#include "axismask/messages/require.hpp"

namespace axismask {

namespace detail {

// What `sinks` and `log_sum_exp` give.
template <class View>
struct given_sinks {
  using view_type = View;
  View view;
};
template <class View>
struct given_log_sum_exp {
  using view_type = View;
  View view;
};

template <text Word, class Array>
inline constexpr bool word_has_named_axes = named<Array>;
template <text Word, class Array>
constexpr void check_word() {
  AXISMASK_REQUIRE((word_has_named_axes<Word, Array>),
                   phrase(Word.view()) +
                       "(): it is no array with names for its axes; give a named_view of the memory, " +
                       "with its axes and sizes",
                   "sinks(array) and log_sum_exp(array) require an array with names for its axes; give a named_view of "
                   "the memory");
}

template <class Given>
inline constexpr bool is_sinks = false;
template <class View>
inline constexpr bool is_sinks<given_sinks<View>> = true;
template <class Given>
inline constexpr bool is_log_sum_exp = false;
template <class View>
inline constexpr bool is_log_sum_exp<given_log_sum_exp<View>> = true;

// Lists are made of parts: `(empty + ... + part)`.
template <class... Inputs>
struct input_list {};
template <class... A, class... B>
constexpr input_list<A..., B...> operator+(input_list<A...> /*a*/, input_list<B...> /*b*/) {
  return {};
}
template <text... A, text... B>
constexpr axes<A..., B...> operator+(axes<A...> /*a*/, axes<B...> /*b*/) {
  return {};
}

// The side inputs among what is given.
template <class... Given>
using inputs_of =
    decltype((input_list<>() + ... + std::conditional_t<is_named_input<Given>, input_list<Given>, input_list<>>()));

// The axes without one of them.
template <text Axis, text... Names>
constexpr auto drop_axis(axes<Names...> /*of*/) {
  return (axes<>() + ... + std::conditional_t<Names.view() == Axis.view(), axes<>, axes<Names>>());
}
template <class Axes, text Axis>
using axes_without = decltype(drop_axis<Axis>(Axes()));

// The name of the layer's query or key axis, and whether it has one.
template <class Layer, attribute_kind Kind>
inline constexpr bool names_axis = index_of<Layer>(Kind) < attribute_count<Layer>;
template <class Layer, attribute_kind Kind, class Axes>
inline constexpr bool has_named_axis = [] {
  if constexpr (names_axis<Layer, Kind>) {
    return has_axis<Axes, axis<attribute_text<Layer, index_of<Layer>(Kind)>()>>;
  } else {
    return false;
  }
}();

// What the checks ask. Each names in its arguments what a compiler should print.
template <class Layer, text Argument, class Given>
inline constexpr bool is_attention_array = named<Given>;
template <class Layer, class Given>
inline constexpr bool is_attention_input = is_named_input<Given> || is_sinks<Given> || is_log_sum_exp<Given>;
template <class Layer, text Argument, std::size_t Times>
inline constexpr bool is_given_at_most_once = Times <= 1;
template <class Layer, text Argument, class Element>
inline constexpr bool attention_holds = breach::is_attention_dtype(element_dtype<Element>::value);
template <class Layer, text Argument, class Element>
inline constexpr bool holds_float32 = element_dtype<Element>::value == dtype::float32;
template <class Layer, text Argument, class Element>
inline constexpr bool can_be_written = !std::is_const_v<Element>;
template <class Layer, text Argument, text Axis, class Axes>
inline constexpr bool attention_array_has_axis = has_axis<Axes, axis<Axis>>;
template <class Layer>
inline constexpr bool layer_has_key_axis = names_axis<Layer, attribute_kind::kv_axis>;
template <class Layer, text Axis, class Axes>
inline constexpr bool queries_lack_key_axis = !has_axis<Axes, axis<Axis>>;
template <class Layer, text Argument, text Axis, class Axes>
inline constexpr bool keys_lack_query_axis = !has_axis<Axes, axis<Axis>>;
template <class Layer, text Argument, text Axis, class QueryAxes>
inline constexpr bool is_axis_of_queries = has_axis<QueryAxes, axis<Axis>>;
template <class Layer, text Argument, class Axes, class QueryAxes>
inline constexpr bool has_the_axes_of_queries = has_only_axes<Axes, QueryAxes> && has_only_axes<QueryAxes, Axes>;

template <class Layer, text Argument, class Given>
constexpr void check_attention_array() {
  AXISMASK_REQUIRE((is_attention_array<Layer, Argument, Given>),
                   said_of<Layer>(Argument.view(), breach::no_attention_array()),
                   "attention requires arrays with names for their axes: queries, keys and values, then the result of "
                   "attend_to, then side inputs, sinks and log_sum_exp; give a named_view of the memory");
}

template <class Layer, class Given>
constexpr void check_attention_input() {
  if constexpr (!std::is_same_v<Given, refused_input>) {
    AXISMASK_REQUIRE((is_attention_input<Layer, Given>), said_of<Layer>("side inputs", breach::no_attention_input()),
                     "what follows the arrays of attention requires a word that says what it is; write "
                     "input<name>(array), sinks(array) or log_sum_exp(array), and options first");
  }
}

template <class Layer, text Argument, std::size_t Times>
constexpr void check_given_once() {
  AXISMASK_REQUIRE((is_given_at_most_once<Layer, Argument, Times>),
                   said_of<Layer>(Argument.view(), breach::attention_input_twice()),
                   "attention requires sinks and log_sum_exp at most once; leave one of them out");
}

template <class Layer, text Argument, class Element>
constexpr void check_attention_floats() {
  AXISMASK_REQUIRE((attention_holds<Layer, Argument, Element>),
                   said_of<Layer>(Argument.view(), breach::not_attention_floats(element_dtype<Element>::value)),
                   "attention requires floats; give float, float16 or bfloat16");
}

template <class Layer, text Argument, class Element>
constexpr void check_float32() {
  AXISMASK_REQUIRE((holds_float32<Layer, Argument, Element>),
                   said_of<Layer>(Argument.view(), breach::not_float32(element_dtype<Element>::value)),
                   "sinks and log_sum_exp require float32; give float");
}

template <class Layer, text Argument, class Element>
constexpr void check_can_be_written() {
  AXISMASK_REQUIRE((can_be_written<Layer, Argument, Element>), said_of<Layer>(Argument.view(), breach::result_const()),
                   "what attention writes requires memory that can be written; give elements that are not const");
}

template <class Layer, text Argument, text Projection, class Axes>
constexpr void check_projection() {
  AXISMASK_REQUIRE((attention_array_has_axis<Layer, Argument, Projection, Axes>),
                   said_of<Layer>(Argument.view(), breach::lacks_projection(Projection.view(), Axes::names)),
                   "attention requires the projection axis of queries, keys and values; give the array that axis, or "
                   "the call the name of yours: attend<name>(...)");
}

// `Axis` is what the layer's attribute at `Index` names.
template <class Layer, text Argument, std::size_t Index, text Axis, class Axes>
constexpr void check_axis_named() {
  AXISMASK_REQUIRE(
      (attention_array_has_axis<Layer, Argument, Axis, Axes>),
      said_of<Layer>(Argument.view(),
                     breach::lacks_mask_axis(Axis.view(), attribute_records<Layer>[Index].name, Axes::names)),
      "queries require the mask's query axis, keys and values its key axis; give that axis of the array this name, or "
      "the array's own name to the layer's attribute");
}
template <class Layer, text Argument, attribute_kind Kind, class Axes>
constexpr void check_mask_axis() {
  constexpr std::size_t index = index_of<Layer>(Kind);
  check_axis_named<Layer, Argument, index, attribute_text<Layer, index>(), Axes>();
}

template <class Layer, text Axis, class Axes>
constexpr void check_queries_lack_key_axis() {
  AXISMASK_REQUIRE((queries_lack_key_axis<Layer, Axis, Axes>),
                   said_of<Layer>("queries", breach::queries_have_key_axis(Axis.view(), Axes::names)),
                   "queries require to be without the mask's key axis; rename it: keys have that axis");
}

template <class Layer, text Argument, text Axis, class Axes>
constexpr void check_keys_lack_query_axis() {
  AXISMASK_REQUIRE((keys_lack_query_axis<Layer, Argument, Axis, Axes>),
                   said_of<Layer>(Argument.view(), breach::keys_have_query_axis(Axis.view(), Axes::names)),
                   "keys and values require to be without the mask's query axis, as they are the same for all queries; "
                   "rename the axis, or take it out");
}

template <class Layer, text Argument, text Axis, class QueryAxes>
constexpr void check_axis_of_queries() {
  AXISMASK_REQUIRE((is_axis_of_queries<Layer, Argument, Axis, QueryAxes>),
                   said_of<Layer>(Argument.view(), breach::not_an_axis_of_queries(Axis.view(), QueryAxes::names)),
                   "each other axis of an array of attention requires the queries to have it; rename the axis, or take "
                   "it out of the array");
}
template <class Layer, text Argument, class QueryAxes, text... Names>
constexpr void check_axes_of_queries(axes<Names...> /*axes*/) {
  (check_axis_of_queries<Layer, Argument, Names, QueryAxes>(), ...);
}

template <class Layer, text Argument, class Axes, class QueryAxes>
constexpr void check_result_axes() {
  AXISMASK_REQUIRE(
      (has_the_axes_of_queries<Layer, Argument, Axes, QueryAxes>),
      said_of<Layer>(Argument.view(), breach::not_the_axes_of_queries(Axes::names, QueryAxes::names)),
      "what attention writes requires the queries' axes, log_sum_exp without the projection; give an array "
      "with them, in any order");
}

// The element and axes of an array that is given.
template <class Array>
using view_of = decltype(as_view(std::declval<Array&>()));
template <class Array>
using element_of = std::remove_const_t<typename view_of<Array>::element_type>;
template <class Array>
using axes_of = typename view_of<Array>::axes_type;

// Can a result be made of these?
template <text Projection, class Queries, class Keys, class Values>
inline constexpr bool have_projection = [] {
  if constexpr (named<Queries> && named<Keys> && named<Values>) {
    return has_axis<axes_of<Queries>, axis<Projection>> && has_axis<axes_of<Values>, axis<Projection>>;
  } else {
    return false;
  }
}();

// The axes of the logits that the mask would have: those of the queries without the projection, then the keys'.
template <class Layer, text Projection, class QueryAxes>
using mask_axes_of = decltype(axes_without<QueryAxes, Projection>() +
                              axes<attribute_text<Layer, index_of<Layer>(attribute_kind::kv_axis)>()>());

template <class Layer, class QueryAxes>
inline constexpr bool queries_fit =
    names_axis<Layer, attribute_kind::kv_axis> && !has_named_axis<Layer, attribute_kind::kv_axis, QueryAxes> &&
    (!names_axis<Layer, attribute_kind::query_axis> || has_named_axis<Layer, attribute_kind::query_axis, QueryAxes>);

template <class Layer, class Axes, class QueryAxes>
inline constexpr bool keys_fit = [] {
  if constexpr (has_named_axis<Layer, attribute_kind::kv_axis, Axes>) {
    constexpr auto key_axis = attribute_text<Layer, index_of<Layer>(attribute_kind::kv_axis)>();
    return !has_named_axis<Layer, attribute_kind::query_axis, Axes> &&
           has_only_axes<axes_without<Axes, key_axis>, QueryAxes>;
  } else {
    return false;
  }
}();

template <class Layer, class QueryAxes>
constexpr void check_queries() {
  AXISMASK_REQUIRE((layer_has_key_axis<Layer>), said_of<Layer>("layer", breach::no_key_axis()),
                   "attention requires a layer with a key axis; compose it with a mask that has one");
  if constexpr (layer_has_key_axis<Layer>) {
    check_queries_lack_key_axis<Layer, attribute_text<Layer, index_of<Layer>(attribute_kind::kv_axis)>(), QueryAxes>();
    if constexpr (names_axis<Layer, attribute_kind::query_axis>) {
      check_mask_axis<Layer, "queries", attribute_kind::query_axis, QueryAxes>();
    }
  }
}

template <class Layer, text Argument, class Axes, class QueryAxes>
constexpr void check_keys() {
  check_mask_axis<Layer, Argument, attribute_kind::kv_axis, Axes>();
  if constexpr (has_named_axis<Layer, attribute_kind::kv_axis, Axes>) {
    constexpr auto key_axis = attribute_text<Layer, index_of<Layer>(attribute_kind::kv_axis)>();
    if constexpr (has_named_axis<Layer, attribute_kind::query_axis, Axes>) {
      check_keys_lack_query_axis<Layer, Argument, attribute_text<Layer, index_of<Layer>(attribute_kind::query_axis)>(),
                                 Axes>();
    } else {
      check_axes_of_queries<Layer, Argument, QueryAxes>(axes_without<Axes, key_axis>());
    }
  }
}

// Sinks, log_sum_exp or a side input; `RowAxes` are the queries' without the projection.
template <class Layer, class RowAxes, class Given>
constexpr void check_given_array() {
  if constexpr (is_sinks<Given>) {
    using view = typename Given::view_type;
    check_float32<Layer, "sinks", std::remove_const_t<typename view::element_type>>();
    check_axes_of_queries<Layer, "sinks", RowAxes>(typename view::axes_type());
  } else if constexpr (is_log_sum_exp<Given>) {
    using view = typename Given::view_type;
    check_float32<Layer, "log_sum_exp", std::remove_const_t<typename view::element_type>>();
    check_can_be_written<Layer, "log_sum_exp", typename view::element_type>();
    check_result_axes<Layer, "log_sum_exp", typename view::axes_type, RowAxes>();
  }
}

template <class Layer, class MaskAxes, class... Inputs>
constexpr void check_side_inputs(input_list<Inputs...> /*inputs*/) {
  check_call<Layer, named_view<float, MaskAxes>, Inputs...>();
}

template <class... Given>
inline constexpr bool are_attention_inputs =
    ((is_attention_input<void, Given> && !std::is_same_v<Given, refused_input>) && ...);

// Checks queries, keys, values and what follows them by their types.
template <class Layer, text Projection, class Queries, class Keys, class Values, class... Given>
constexpr void check_attention_axes() {
  using query_axes = axes_of<Queries>;
  constexpr bool in_queries = has_axis<query_axes, axis<Projection>>;
  constexpr bool in_keys = has_axis<axes_of<Keys>, axis<Projection>>;
  constexpr bool in_values = has_axis<axes_of<Values>, axis<Projection>>;
  check_projection<Layer, "queries", Projection, query_axes>();
  if constexpr (in_queries) check_projection<Layer, "keys", Projection, axes_of<Keys>>();
  if constexpr (in_queries && in_keys) check_projection<Layer, "values", Projection, axes_of<Values>>();
  if constexpr (in_queries && in_keys && in_values) {
    check_queries<Layer, query_axes>();
    if constexpr (queries_fit<Layer, query_axes>) {
      check_keys<Layer, "keys", axes_of<Keys>, query_axes>();
      if constexpr (keys_fit<Layer, axes_of<Keys>, query_axes>) {
        check_keys<Layer, "values", axes_of<Values>, query_axes>();
      }
      (check_given_array<Layer, axes_without<query_axes, Projection>, Given>(), ...);
      check_side_inputs<Layer, mask_axes_of<Layer, Projection, query_axes>>(inputs_of<Given...>());
    }
  }
}

template <class Layer, text Projection, class Queries, class Out>
constexpr void check_attention_result() {
  check_attention_floats<Layer, "out", element_of<Out>>();
  check_can_be_written<Layer, "out", typename view_of<Out>::element_type>();
  // Queries that are not right have had their error.
  if constexpr (has_axis<axes_of<Queries>, axis<Projection>> && queries_fit<Layer, axes_of<Queries>>) {
    check_result_axes<Layer, "out", axes_of<Out>, axes_of<Queries>>();
  }
}

// Checks a whole call of attention. Out is void where the call makes its result.
template <class Layer, text Projection, class Queries, class Keys, class Values, class Out, class... Given>
constexpr void check_attention() {
  check_attention_array<Layer, "queries", Queries>();
  if constexpr (named<Queries>) check_attention_array<Layer, "keys", Keys>();
  if constexpr (named<Queries> && named<Keys>) check_attention_array<Layer, "values", Values>();
  if constexpr (named<Queries> && named<Keys> && named<Values>) {
    if constexpr (!std::is_void_v<Out>) check_attention_array<Layer, "out", Out>();
    if constexpr (std::is_void_v<Out> || named<Out>) (check_attention_input<Layer, Given>(), ...);
    check_given_once<Layer, "sinks", (std::size_t{0} + ... + std::size_t{is_sinks<Given>})>();
    check_given_once<Layer, "log_sum_exp", (std::size_t{0} + ... + std::size_t{is_log_sum_exp<Given>})>();
    check_layer<Layer>();
    if constexpr (is_layer<Layer> && are_attention_inputs<Given...> && (std::is_void_v<Out> || named<Out>)) {
      check_attention_floats<Layer, "queries", element_of<Queries>>();
      check_attention_floats<Layer, "keys", element_of<Keys>>();
      check_attention_floats<Layer, "values", element_of<Values>>();
      check_attention_axes<Layer, Projection, Queries, Keys, Values, Given...>();
      if constexpr (!std::is_void_v<Out>) check_attention_result<Layer, Projection, Queries, Out>();
    }
  }
}

}  // namespace detail

// Gives attention its sinks, or takes its log_sum_exp: what attention_options (attention.hpp) has under that name. A
// named_view or a named_array of float, which must live as long as the call; they stand among the side inputs.
template <class Array>
[[nodiscard]] auto sinks(Array&& array) {
  detail::check_word<"sinks", std::remove_reference_t<Array>>();
  if constexpr (named<std::remove_reference_t<Array>>) {
    return detail::given_sinks<decltype(as_view(array))>{as_view(array)};
  } else {
    return detail::refused_input();
  }
}
template <class Array>
[[nodiscard]] auto log_sum_exp(Array&& array) {
  detail::check_word<"log_sum_exp", std::remove_reference_t<Array>>();
  if constexpr (named<std::remove_reference_t<Array>>) {
    return detail::given_log_sum_exp<decltype(as_view(array))>{as_view(array)};
  } else {
    return detail::refused_input();
  }
}

}  // namespace axismask
