// Layers: structs of attributes with a `keep`. This file has the macro that declares one, the checks that the compiler
// makes of a layer and of each call, and the call itself.
#pragma once

#include <algorithm>
#include <array>
#include <boost/hana/pair.hpp>
#include <boost/hana/string.hpp>
#include <boost/hana/tuple.hpp>
#include <boost/preprocessor/cat.hpp>
#include <boost/preprocessor/punctuation/comma_if.hpp>
#include <boost/preprocessor/seq/for_each.hpp>
#include <boost/preprocessor/seq/for_each_i.hpp>
#include <boost/preprocessor/stringize.hpp>
#include <boost/preprocessor/tuple/elem.hpp>
#include <boost/preprocessor/tuple/size.hpp>
#include <boost/preprocessor/variadic/to_seq.hpp>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#include "axismask/arrays/array.hpp"
#include "axismask/arrays/axis.hpp"
#include "axismask/call/call.hpp"
#include "axismask/layer/attributes.hpp"
#include "axismask/layer/layer_type.hpp"
#include "axismask/messages/call_breach.hpp"
#include "axismask/messages/require.hpp"

// AXISMASK_LAYER(Name, attributes...) inside a struct makes it a layer. An attribute is
//   (type, name)             masked_value, count, counts_over<...>: a value that each object of the layer is given
//   (part, name, "default")  query_positions, kv_positions, integers, mask, query_axis, kv_axis: the name of a side
//   input or axis
// The struct adds its `keep`: a static constexpr function template over the side inputs and then the values, each in
// the order of the attributes, that is true where a logit is kept. A whole layer: causal_sliding_window.hpp.
//
// The calls, where the arrays are named views or arrays and a side input is `input<"token_positions">(positions)`:
//   layer(logits, inputs...)                a new array with the result
//   layer.apply(logits, out, inputs...)     the result in `out`
//   layer.apply_in_place(logits, inputs...)
// Options come first, as execution policies do: layer.apply_in_place(call_options{.threads = 4}, logits, inputs...)
// Layers compose: `a & b`, `a | b`, `!a` (compose.hpp). Rows of which nothing is kept: empty_rows.hpp.
//
// The members are declared here and not by BOOST_HANA_DEFINE_STRUCT, which cannot give one a default: then
// `{.masked_out_value = v, .sliding_window_size = w}` would warn of the four that are not named.
#define AXISMASK_LAYER(Name, ...)                                                                   \
  BOOST_PP_SEQ_FOR_EACH(AXISMASK_MEMBER, _, BOOST_PP_VARIADIC_TO_SEQ(__VA_ARGS__))                  \
  struct hana_accessors_impl {                                                                      \
    static constexpr auto apply() {                                                                 \
      return ::boost::hana::make_tuple(                                                             \
          BOOST_PP_SEQ_FOR_EACH_I(AXISMASK_ACCESSOR, Name, BOOST_PP_VARIADIC_TO_SEQ(__VA_ARGS__))); \
    }                                                                                               \
  };                                                                                                \
  AXISMASK_LAYER_CALLS(Name)

#define AXISMASK_LAYER_CALLS(Name)                                              \
  AXISMASK_CALLS(::axismask::empty_row_rule::masked, *this)                     \
  template <class Mask>                                                         \
  [[nodiscard]] friend constexpr auto operator&(const Name& a, const Mask& b) { \
    return ::axismask::detail::compose_all(a, b);                               \
  }                                                                             \
  template <class Mask>                                                         \
  [[nodiscard]] friend constexpr auto operator|(const Name& a, const Mask& b) { \
    return ::axismask::detail::compose_any(a, b);                               \
  }                                                                             \
  template <class Self = Name>                                                  \
  [[nodiscard]] constexpr auto operator!() const {                              \
    return ::axismask::detail::compose_not(static_cast<const Self&>(*this));    \
  }

#define AXISMASK_CALLS(rows, layer)                                                                                \
  template <class Logits, class... Inputs>                                                                         \
    requires(!::axismask::detail::is_call_options<Logits>)                                                         \
  [[nodiscard]] auto operator()(Logits&& logits, const Inputs&... inputs) const {                                  \
    return ::axismask::detail::call<rows>({}, layer, logits, inputs...);                                           \
  }                                                                                                                \
  template <class Logits, class... Inputs>                                                                         \
  [[nodiscard]] auto operator()(const ::axismask::call_options& options, Logits&& logits, const Inputs&... inputs) \
      const {                                                                                                      \
    return ::axismask::detail::call<rows>(options, layer, logits, inputs...);                                      \
  }                                                                                                                \
  template <class Logits, class Out, class... Inputs>                                                              \
    requires(!::axismask::detail::is_call_options<Logits>)                                                         \
  void apply(Logits&& logits, Out&& out, const Inputs&... inputs) const {                                          \
    ::axismask::detail::call_into<rows>({}, layer, logits, out, inputs...);                                        \
  }                                                                                                                \
  template <class Logits, class Out, class... Inputs>                                                              \
  void apply(const ::axismask::call_options& options, Logits&& logits, Out&& out, const Inputs&... inputs) const { \
    ::axismask::detail::call_into<rows>(options, layer, logits, out, inputs...);                                   \
  }                                                                                                                \
  template <class Logits, class... Inputs>                                                                         \
    requires(!::axismask::detail::is_call_options<Logits>)                                                         \
  void apply_in_place(Logits&& logits, const Inputs&... inputs) const {                                            \
    ::axismask::detail::call_into<rows>({}, layer, logits, logits, inputs...);                                     \
  }                                                                                                                \
  template <class Logits, class... Inputs>                                                                         \
  void apply_in_place(const ::axismask::call_options& options, Logits&& logits, const Inputs&... inputs) const {   \
    ::axismask::detail::call_into<rows>(options, layer, logits, logits, inputs...);                                \
  }

#define AXISMASK_MEMBER(_, __, attribute) BOOST_PP_CAT(AXISMASK_MEMBER_, BOOST_PP_TUPLE_SIZE(attribute)) attribute
#define AXISMASK_MEMBER_2(type, member) type member;
#define AXISMASK_MEMBER_3(kind, member, name) kind<name> member{};
#define AXISMASK_ACCESSOR(_, Name, index, attribute)                           \
  BOOST_PP_COMMA_IF(index)                                                     \
  ::boost::hana::make_pair(                                                    \
      BOOST_HANA_STRING(BOOST_PP_STRINGIZE(BOOST_PP_TUPLE_ELEM(1, attribute))), \
                        [](const Name& layer) -> const auto& { return layer.BOOST_PP_TUPLE_ELEM(1, attribute); })

namespace axismask {

namespace detail {

// Defined in compose.hpp, which the end of this file includes.
template <class A, class B>
[[nodiscard]] constexpr auto compose_all(const A& a, const B& b);
template <class A, class B>
[[nodiscard]] constexpr auto compose_any(const A& a, const B& b);
template <class A>
[[nodiscard]] constexpr auto compose_not(const A& a);

}  // namespace detail

// A side input of a call: its name, and a view of its array.
template <text Name, class View>
struct named_input {
  static constexpr text name = Name;
  using view_type = View;
  View view;
};

template <text Name, named Array>
[[nodiscard]] auto input(Array&& array) {
  return named_input<Name, decltype(as_view(array))>{as_view(array)};
}

namespace detail {

// Every attribute of a type that says its part, so that the checks below can be made at all.
template <class Layer>
inline constexpr bool has_only_attributes = []<std::size_t... Index>(std::index_sequence<Index...>) {
  return (attribute<attribute_type<Layer, Index>> && ...);
}(std::make_index_sequence<attribute_count<Layer>>());

template <class Layer>
[[nodiscard]] consteval std::size_t first_foreign_attribute() {
  return []<std::size_t... Index>(std::index_sequence<Index...>) {
    std::size_t first = 0;
    (void)((attribute<attribute_type<Layer, Index>> && ++first) && ...);
    return first;
  }(std::make_index_sequence<attribute_count<Layer>>());
}

template <class Layer>
[[nodiscard]] constexpr std::string_view foreign_attribute_name() {
  return attribute_name<Layer, std::min(first_foreign_attribute<Layer>(), attribute_count<Layer> - 1)>();
}

// A constant parameter below 1: which attribute, or the number of attributes.
template <class Attribute>
inline constexpr bool is_constant_below_1 = false;
template <std::int64_t Value>
inline constexpr bool is_constant_below_1<constant<Value>> = Value < 1;

template <class Layer>
[[nodiscard]] consteval std::size_t first_constant_below_1() {
  return []<std::size_t... Index>(std::index_sequence<Index...>) {
    std::size_t first = 0;
    (void)((!is_constant_below_1<attribute_type<Layer, Index>> && ++first) && ...);
    return first;
  }(std::make_index_sequence<attribute_count<Layer>>());
}

template <class Layer>
[[nodiscard]] constexpr std::string_view low_constant_name() {
  return attribute_name<Layer, std::min(first_constant_below_1<Layer>(), attribute_count<Layer> - 1)>();
}

template <class Layer>
inline constexpr bool has_positive_constants = first_constant_below_1<Layer>() == attribute_count<Layer>;

template <class Layer>
inline constexpr bool has_room = attribute_count<Layer> <= max_attributes && operand_count<Layer> <= max_operands;

// A spec uses these for the layer itself.
template <class Layer>
inline constexpr bool has_free_names = [] {
  for (const attribute_record& record : attribute_records<Layer>) {
    if (record.name == "name" || record.name == "type" || record.name == "empty_rows") return false;
  }
  return true;
}();

template <class Layer>
inline constexpr bool has_masked_value = index_of<Layer>(attribute_kind::masked_value) < attribute_count<Layer>;

// Positions lie along axes: who has the one must have the other.
template <class Layer>
inline constexpr bool has_axes_of_its_positions = [] {
  const auto has = [](attribute_kind kind) { return index_of<Layer>(kind) < attribute_count<Layer>; };
  return (!has(attribute_kind::query_positions) || has(attribute_kind::query_axis)) &&
         (!has(attribute_kind::kv_positions) || (has(attribute_kind::query_axis) && has(attribute_kind::kv_axis)));
}();

// Masks that are composed lie on the same axes.
template <class Layer>
inline constexpr bool has_one_pair_of_axes = [] {
  for (const attribute_kind kind : {attribute_kind::query_axis, attribute_kind::kv_axis}) {
    const std::size_t first = index_of<Layer>(kind);
    for (const attribute_record& record : attribute_records<Layer>) {
      if (record.kind == kind && record.default_name != attribute_records<Layer>[first].default_name) return false;
    }
  }
  return true;
}();

template <class Layer>
[[nodiscard]] constexpr phrase axis_names() {
  phrase names;
  for (const attribute_record& record : attribute_records<Layer>) {
    if (record.kind != attribute_kind::query_axis && record.kind != attribute_kind::kv_axis) continue;
    if (names.size() > 0) names += ", ";
    names += "\"";
    names += record.default_name;
    names += "\"";
  }
  return names;
}

template <class Layer>
[[nodiscard]] constexpr phrase operand_names() {
  phrase list;
  for (const std::size_t index : operand_indices<Layer>) {
    if (list.size() > 0) list += ", ";
    list += attribute_records<Layer>[index].name;
  }
  return list;
}

// A small number as text.
template <std::size_t Number>
inline constexpr std::array<char, 2> digit_characters{'0' + Number % 10, 0};
template <std::size_t Number>
  requires(Number < 10)
inline constexpr std::string_view digits{digit_characters<Number>.data()};

template <class Layer>
[[nodiscard]] constexpr phrase name_of() {
  return unqualified_name<Layer>();
}

template <class Layer>
inline constexpr bool keep_gives_a_boolean = [] {
  if constexpr (keep_takes_operands<Layer, integer, bool>) {
    return std::is_same_v<decltype(read_keep<Layer, integer, bool>(
                              []<class T>(std::size_t, std::type_identity<T>) { return T(0); })),
                          bool>;
  } else {
    return true;  // said already
  }
}();

// What check_layer asks, as one answer: of a struct that is no layer nothing further is asked.
template <class Layer>
inline constexpr bool is_layer = [] {
  if constexpr (has_only_attributes<Layer>) {
    return has_room<Layer> && has_free_names<Layer> && has_masked_value<Layer> && has_axes_of_its_positions<Layer> &&
           has_one_pair_of_axes<Layer> && has_positive_constants<Layer> && keep_takes_operands<Layer, integer, bool> &&
           keep_gives_a_boolean<Layer>;
  } else {
    return false;
  }
}();

}  // namespace detail

// Is the struct a layer? Each breach is a compile error that names the layer. Every use of a layer asks this first.
template <class Layer>
constexpr void check_layer() {
  if constexpr (requires { Layer::check_parts(); }) Layer::check_parts();
  AXISMASK_REQUIRE(
      detail::has_only_attributes<Layer>,
      detail::name_of<Layer>() + " requires attributes that say their part; \"" +
          detail::foreign_attribute_name<Layer>() +
          "\" is of another type: use masked_value, count, whole, constant, counts_over, query_positions, "
          "kv_positions, integers, mask, query_axis or kv_axis",
      "a layer requires attributes that say their part; use masked_value, count, whole, constant, counts_over, "
      "query_positions, kv_positions, integers, mask, query_axis or kv_axis");
  if constexpr (detail::has_only_attributes<Layer>) {
    AXISMASK_REQUIRE(detail::has_room<Layer>,
                     detail::name_of<Layer>() +
                         " requires at most 32 attributes, 16 of them side inputs and numbers; "
                         "take some out",
                     "a layer requires at most 32 attributes, 16 of them side inputs and numbers; take some out");
    AXISMASK_REQUIRE(
        detail::has_free_names<Layer>,
        detail::name_of<Layer>() +
            " requires other names than \"name\", \"type\" and \"empty_rows\" for its attributes, "
            "which specs use for the layer itself; rename it",
        "a layer requires other names than \"name\", \"type\" and \"empty_rows\" for its attributes, which "
        "specs use for the layer itself; rename it");
    AXISMASK_REQUIRE(
        detail::has_masked_value<Layer>,
        detail::name_of<Layer>() + " requires a masked value; add (axismask::masked_value, masked_out_value)",
        "a layer requires a masked value; add (axismask::masked_value, masked_out_value)");
    AXISMASK_REQUIRE(detail::has_axes_of_its_positions<Layer>,
                     detail::name_of<Layer>() +
                         " requires the axes of its positions; add (axismask::query_axis<\"seq\">, seq_axis) and "
                         "(axismask::kv_axis<\"kv_seq\">, kv_seq_axis)",
                     "a layer with positions requires their axes; add (axismask::query_axis<\"seq\">, seq_axis) and "
                     "(axismask::kv_axis<\"kv_seq\">, kv_seq_axis)");
    AXISMASK_REQUIRE(detail::has_one_pair_of_axes<Layer>,
                     detail::name_of<Layer>() +
                         " requires one query axis and one key axis for all its masks; they have " +
                         detail::axis_names<Layer>() + ": give them the same names",
                     "masks that are composed require one query axis and one key axis; give them the same names");
    AXISMASK_REQUIRE(detail::has_positive_constants<Layer>,
                     detail::name_of<Layer>() + " requires " + detail::low_constant_name<Layer>() +
                         " to be at least 1; a window of 1 sees the token itself only, and none sees nothing",
                     "a layer requires its constants to be at least 1; a window of 1 sees the token itself only, and "
                     "none sees nothing");
    AXISMASK_REQUIRE((detail::keep_takes_operands<Layer, integer, bool>),
                     detail::name_of<Layer>() + "::keep requires " + detail::digits<detail::operand_count<Layer>> +
                         " parameters, one for each of " + detail::operand_names<Layer>() +
                         "; declare it as a static constexpr function template that takes these in this order",
                     "keep requires one parameter for each side input and then each parameter of the layer; declare it "
                     "as a static constexpr function template that takes these in the order of the attributes");
    AXISMASK_REQUIRE(detail::keep_gives_a_boolean<Layer>,
                     detail::name_of<Layer>() +
                         "::keep requires a boolean result; return a comparison, or comparisons joined by && and ||",
                     "keep requires a boolean result; return a comparison, or comparisons joined by && and ||");
  }
}

namespace detail {

template <class Layer>
inline constexpr std::size_t side_input_count = [] {
  std::size_t count = 0;
  for (const attribute_record& record : attribute_records<Layer>) count += is_side_input(record.kind) ? 1 : 0;
  return count;
}();

// The names of a call's side inputs.
template <class... Inputs>
inline constexpr std::array<std::string_view, sizeof...(Inputs)> given_names{Inputs::name.view()...};

[[nodiscard]] constexpr bool contains(breach::names names, std::string_view name) {
  return std::count(names.begin(), names.end(), name) > 0;
}

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
inline constexpr bool logits_are_floats = info(dtype_of<Element>::value).is_float;
template <class Layer, text Input, class Element>
inline constexpr bool positions_are_integers =
    dtype_of<Element>::value == dtype::int32 || dtype_of<Element>::value == dtype::int64;
template <class Layer, text Input, class Element>
inline constexpr bool mask_is_boolean = dtype_of<Element>::value == dtype::boolean;
template <class Layer, text Input, text Axis, class InputAxes>
inline constexpr bool side_input_has_axis = has_axis<InputAxes, axis<Axis>>;
template <class Layer, text Input, class Axes>
inline constexpr bool keys_have_distinct_axes = has_distinct_axes<Axes>;
template <class Layer, text Array, text Axis, class LogitsAxes>
inline constexpr bool axis_is_the_logits = has_axis<LogitsAxes, axis<Axis>>;
template <class Layer, class Element>
inline constexpr bool result_can_be_written = !std::is_const_v<Element>;
template <class Layer, class Element, class LogitsElement>
inline constexpr bool result_has_the_logits_type = std::is_same_v<std::remove_const_t<Element>, LogitsElement>;
template <class Layer, class Axes, class LogitsAxes>
inline constexpr bool result_has_the_logits_axes = has_only_axes<Axes, LogitsAxes> && has_only_axes<LogitsAxes, Axes>;

// A name that a layer's attribute has in its type, as a text.
template <class Layer, std::size_t Index>
[[nodiscard]] consteval auto attribute_text() {
  return to_text([] { return attribute_records<Layer>[Index].default_name; });
}
template <class Layer, std::size_t Index>
[[nodiscard]] consteval auto name_text() {
  return to_text([] { return attribute_records<Layer>[Index].name; });
}

// The attribute at `Index` names an axis of the logits.
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

// The axes that an array has when it lies on the logits: those of keys change their name.
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

// One axis for each call, and no more arguments than the sentence needs: queries and keys that share an array share the
// error too.
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

template <class Layer, text Input, class Element, text QueryAxis, class Axes>
constexpr void check_positions() {
  AXISMASK_REQUIRE((positions_are_integers<Layer, Input, Element>),
                   said_of<Layer>(Input.view(), breach::positions_not_integers(dtype_of<Element>::value)),
                   "positions require integers; give int32 or int64");
  AXISMASK_REQUIRE((side_input_has_axis<Layer, Input, QueryAxis, Axes>),
                   said_of<Layer>(Input.view(), breach::side_input_lacks_axis(QueryAxis.view(), Axes::names)),
                   "positions require the layer's seq_axis, those of keys too; give the array that axis");
}

template <class Layer, text Input, class Element>
constexpr void check_integers() {
  AXISMASK_REQUIRE((positions_are_integers<Layer, Input, Element>),
                   said_of<Layer>(Input.view(), breach::not_integers(dtype_of<Element>::value)),
                   "a side input of numbers requires integers; give int32 or int64");
}

template <class Layer, text Input, class Element>
constexpr void check_mask() {
  AXISMASK_REQUIRE((mask_is_boolean<Layer, Input, Element>),
                   said_of<Layer>(Input.view(), breach::mask_not_boolean(dtype_of<Element>::value)),
                   "a mask requires booleans; give bool");
}

template <class Layer, text Input, text QueryAxis, text KvAxis, class Axes>
constexpr void check_key_axes() {
  AXISMASK_REQUIRE((keys_have_distinct_axes<Layer, Input, Axes>),
                   said_of<Layer>(Input.view(), breach::key_axis_twice(QueryAxis.view(), KvAxis.view())),
                   "positions of keys require the layer's seq_axis, read as its kv_seq_axis, and not both; leave one "
                   "of the two out");
}

// The array of the side input that the attribute at `Index` names. An array without its axis is not asked for others.
template <class Layer, std::size_t Index, class Input, class LogitsAxes>
constexpr void check_side_input_for() {
  if constexpr (Input::name.view() == attribute_records<Layer>[Index].default_name) {
    constexpr attribute_kind kind = attribute_records<Layer>[Index].kind;
    using axes_type = typename Input::view_type::axes_type;
    using element_type = std::remove_const_t<typename Input::view_type::element_type>;
    using on_logits = typename decltype(axes_on_logits<Layer, Index, axes_type>())::type;
    if constexpr (is_positions(kind)) {
      constexpr auto query_axis = attribute_text<Layer, index_of<Layer>(attribute_kind::query_axis)>();
      constexpr auto kv_axis = attribute_text<Layer, index_of<Layer>(attribute_kind::kv_axis)>();
      check_positions<Layer, Input::name, element_type, query_axis, axes_type>();
      check_key_axes<Layer, Input::name, query_axis, kv_axis, on_logits>();
      if constexpr (has_axis<axes_type, axis<query_axis>> && has_distinct_axes<on_logits>) {
        check_axes_on_logits<Layer, Input::name, LogitsAxes>(on_logits());
      }
    } else {
      if constexpr (kind == attribute_kind::integers) {
        check_integers<Layer, Input::name, element_type>();
      } else {
        check_mask<Layer, Input::name, element_type>();
      }
      check_axes_on_logits<Layer, Input::name, LogitsAxes>(on_logits());
    }
  }
}

// A side input that a call gives: known to the layer, and once.
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

// The first attribute that names this side input: of several, one message is enough.
template <class Layer, std::size_t Index>
inline constexpr bool is_first_of_its_name = [] {
  for (std::size_t index = 0; index < Index; ++index) {
    const attribute_record& record = attribute_records<Layer>[index];
    if (is_side_input(record.kind) && record.default_name == attribute_records<Layer>[Index].default_name) return false;
  }
  return true;
}();

// A side input that the layer takes: there.
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
    // A misspelt side input has been called unknown: that the right one is missing follows.
    if constexpr (is_first_of_its_name<Layer, Index> && (side_input_is_taken<Layer, Inputs::name> && ...)) {
      check_taken<Layer, Index, attribute_text<Layer, Index>(), Inputs...>();
    }
    (check_side_input_for<Layer, Index, Inputs, LogitsAxes>(), ...);
  } else if constexpr (is_counts_over<attribute_type<Layer, Index>>) {
    check_axes_on_logits<Layer, name_text<Layer, Index>(), LogitsAxes>(
        typename attribute_type<Layer, Index>::axes_type());
  }
}

// Everything that can be known of a call from its types. What depends on an axis that is not there is not asked.
template <class Layer, class Logits, class... Inputs>
constexpr void check_call() {
  check_layer<Layer>();
  if constexpr (is_layer<Layer>) {
    using logits_axes = typename Logits::axes_type;
    using element_type = std::remove_const_t<typename Logits::element_type>;
    AXISMASK_REQUIRE((logits_are_floats<Layer, element_type>),
                     said_of<Layer>("logits", breach::logits_not_floats(dtype_of<element_type>::value)),
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

// An attribute as a run-time value; `numbers` keeps the view of one that has axes.
template <class Attribute>
[[nodiscard]] attribute_value value_of(const Attribute& given, any_view& numbers) {
  if constexpr (is_counts_over<Attribute>) {
    numbers = given.erased();
    return {{}, 0, &numbers};
  } else if constexpr (requires { given.value; }) {
    return {{}, given.value, nullptr};
  } else {
    return {default_name<Attribute>(), 0, nullptr};
  }
}

// Calls `use` with the layer's attributes as run-time values.
template <class Layer, class Use>
auto with_values(const Layer& layer, Use use) {
  return [&]<std::size_t... Index>(std::index_sequence<Index...>) {
    std::array<any_view, sizeof...(Index)> numbers;
    layer_values values{
        &layer_type_of<Layer>,
        attribute_of<Layer, index_of<Layer>(attribute_kind::masked_value)>(layer),
        {value_of(attribute_of<Layer, Index>(layer), numbers[Index])...},
    };
    return use(values);
  }(std::make_index_sequence<attribute_count<Layer>>());
}

// The array for the result, as far as types tell.
template <class Layer, class Element, class Axes, class LogitsElement, class LogitsAxes>
constexpr void check_result() {
  AXISMASK_REQUIRE((result_can_be_written<Layer, Element>), said_of<Layer>("result", breach::result_const()),
                   "the result requires memory that can be written; give an array of elements that are not const");
  AXISMASK_REQUIRE((result_has_the_logits_type<Layer, Element, LogitsElement>),
                   said_of<Layer>("result", breach::result_of_other_type(dtype_of<std::remove_const_t<Element>>::value,
                                                                         dtype_of<LogitsElement>::value)),
                   "the result requires the logits' element type; give an array of that type");
  AXISMASK_REQUIRE((result_has_the_logits_axes<Layer, Axes, LogitsAxes>),
                   said_of<Layer>("result", breach::result_of_other_axes(Axes::names, LogitsAxes::names)),
                   "the result requires the logits' axes; give an array with the same axes, in any order");
}

template <class Argument>
inline constexpr bool is_call_options = std::is_same_v<std::remove_cvref_t<Argument>, call_options>;

template <empty_row_rule Rows, class Layer, class Logits, class Out, class... Inputs>
void call_into(const call_options& options, const Layer& layer, Logits&& logits, Out&& out, const Inputs&... inputs) {
  using logits_view = decltype(as_view(logits));
  using out_view = decltype(as_view(out));
  check_call<Layer, logits_view, Inputs...>();
  if constexpr (is_layer<Layer>) {
    check_result<Layer, typename out_view::element_type, typename out_view::axes_type,
                 std::remove_const_t<typename logits_view::element_type>, typename logits_view::axes_type>();
    with_values(layer, [&](layer_values& values) {
      values.empty_rows = Rows;
      const std::array<side_input, sizeof...(Inputs)> side_inputs{
          side_input{Inputs::name.view(), inputs.view.erased()}...};
      ::axismask::apply(values, as_view(logits).erased(), as_view(out).erased(), side_inputs, options);
    });
  }
}

template <empty_row_rule Rows, class Layer, class Logits, class... Inputs>
[[nodiscard]] auto call(const call_options& options, const Layer& layer, Logits& logits, const Inputs&... inputs) {
  const auto view = as_view(logits);
  named_array<std::remove_const_t<typename decltype(view)::element_type>, typename decltype(view)::axes_type> out(
      view.sizes());
  call_into<Rows>(options, layer, view, out, inputs...);
  return out;
}

}  // namespace detail
}  // namespace axismask

#include "axismask/compose.hpp"
