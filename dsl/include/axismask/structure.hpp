// Layers as trees of values: the methods that penzai's layers inherit from `Struct` and `Layer`, for every declared
// layer. Fields are named as texts, `select(layer).at<"sliding_window_size">()`, and a name that is wrong is a compile
// error. The same for layers of a spec: layer_structure.hpp of the runtime.
//
// A layer's leaves are its values (masked_value, count, constant, counts_over, variable); the names of side inputs and
// axes are its structure, as in penzai. A layer never changes: each edit gives a new one.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>

#include "axismask/compose.hpp"
#include "axismask/layer.hpp"
#include "axismask/layer/attributes.hpp"
#include "axismask/layer/layer_type.hpp"
#include "axismask/messages/require.hpp"
#include "axismask/messages/structure_breach.hpp"
#include "axismask/messages/text.hpp"
#include "axismask/structure/color.hpp"
#include "axismask/structure/structure_words.hpp"

namespace axismask {

// A struct with AXISMASK_LAYER, or a composition of such.
template <class T>
concept declared_layer = requires { typename T::hana_accessors_impl; };

// ------------------------------------------------------------------------------------------------------ Variables

namespace detail {

template <text Label>
inline constexpr bool variable_is_bound = false;

// What a variable has for a number until it is bound: the error that it has none.
template <text Label>
struct no_number {
  constexpr operator std::int64_t() const {  // NOLINT: implicit, as the number would be
    AXISMASK_REQUIRE(
        variable_is_bound<Label>,
        phrase(breach::variable_unbound(Label.view()).what) + "; " + breach::variable_unbound(Label.view()).cure,
        "a call requires a value for each variable; bind it with bind_variables, or supply it for one "
        "call with stateless_call");
    return 0;
  }
};

}  // namespace detail

// A leaf whose value comes later: `ApplyCausalSlidingWindowAttentionMask<variable<"window">>`. Bound, it is a `Bound`;
// unbound, the layer cannot be called.
template <text Label, attribute Bound = count>
struct variable {
  static constexpr attribute_kind kind = kind_of<Bound>();
  static constexpr std::int64_t lowest = lowest_of<Bound>();
  static constexpr std::string_view label = Label.view();
  static constexpr detail::no_number<Label> value{};

  constexpr operator masked_value() const  // NOLINT: implicit, as the value would be
    requires(kind == attribute_kind::masked_value)
  {
    return static_cast<double>(static_cast<std::int64_t>(value));
  }
};

template <class T>
inline constexpr bool is_variable = false;
template <text Label, class Bound>
inline constexpr bool is_variable<variable<Label, Bound>> = true;

// The value of a variable: `value<"window">(512)`.
template <text Label, class T>
struct variable_value {
  static constexpr std::string_view label = Label.view();
  T value;
};
template <text Label, class T>
[[nodiscard]] constexpr variable_value<Label, T> value(T what) {
  return {what};
}

// --------------------------------------------------------------------------------------------------------- Fields

// A field with its value: `field<"sliding_window_size">(512)`, and of a name `field<"seq_axis", "seq">()`.
template <text Name, class T>
struct named_field {
  static constexpr std::string_view field_name = Name.view();
  T value;
};
template <text Name, class T>
[[nodiscard]] constexpr named_field<Name, T> field(T value) {
  return {value};
}

template <text Name>
struct plain_name {
  static constexpr std::string_view name = Name.view();
};
template <text Field, text Name>
[[nodiscard]] constexpr named_field<Field, plain_name<Name>> field() {
  return {};
}

namespace detail {

// Names of a layer's fields that pass a test, as a list.
class field_names {
 public:
  constexpr field_names(std::span<const attribute_record> records, bool (*passes)(attribute_kind)) {
    for (const attribute_record& record : records) {
      if (passes(record.kind)) names_[size_++] = record.name;
    }
  }
  constexpr operator breach::names() const { return {names_.data(), size_}; }  // NOLINT: it is a list of names
  [[nodiscard]] constexpr std::size_t size() const { return size_; }

 private:
  std::array<std::string_view, max_attributes> names_{};
  std::size_t size_ = 0;
};
template <class Layer>
inline constexpr field_names all_fields(attribute_records<Layer>, [](attribute_kind) { return true; });
template <class Layer>
inline constexpr field_names leaf_fields(attribute_records<Layer>, is_leaf);

template <class Layer>
[[nodiscard]] constexpr std::size_t fields_of_name(std::string_view name) {
  std::size_t count = 0;
  for (const attribute_record& record : attribute_records<Layer>) count += record.name == name ? 1 : 0;
  return count;
}

// The field of that name, or the number of fields.
template <class Layer>
[[nodiscard]] constexpr std::size_t field_index(std::string_view name) {
  std::size_t index = 0;
  while (index < attribute_count<Layer> && attribute_records<Layer>[index].name != name) ++index;
  return index;
}

template <class Layer>
inline constexpr auto leaf_indices = [] {
  std::array<std::size_t, leaf_fields<Layer>.size()> indices{};
  std::size_t next = 0;
  for (std::size_t index = 0; index < attribute_count<Layer>; ++index) {
    if (is_leaf(attribute_records<Layer>[index].kind)) indices[next++] = index;
  }
  return indices;
}();

// The leaf at this place, seen from the attribute: which of the leaves it is.
template <class Layer>
[[nodiscard]] constexpr std::size_t leaf_place(std::size_t attribute) {
  return static_cast<std::size_t>(std::count_if(leaf_indices<Layer>.begin(), leaf_indices<Layer>.end(),
                                                [&](std::size_t index) { return index < attribute; }));
}

// `select(ApplyCausalAttentionMask): what; cure`.
template <class Layer>
[[nodiscard]] constexpr phrase said_in(std::string_view function, const breach::sentence& sentence) {
  return phrase(function) + "(" + name_of<Layer>() + "): " + sentence.what + "; " + sentence.cure;
}

// What the checks below ask. Each names in its arguments what a compiler should print.
template <class Layer, text Field>
inline constexpr bool layer_has_field = fields_of_name<Layer>(Field.view()) > 0;
template <class Layer, text Field>
inline constexpr bool layer_has_field_once = fields_of_name<Layer>(Field.view()) < 2;
template <class Layer, text Field>
inline constexpr bool field_is_leaf =
    is_leaf(attribute_records<Layer>[std::min(field_index<Layer>(Field.view()), attribute_count<Layer> - 1)].kind);

// The checks of a field that a call of `Function` names. They stand apart from what the call then does, which must
// compile after an error too, so that the error is the only one.
template <class Layer, text Function, text Field>
constexpr void check_field() {
  AXISMASK_REQUIRE((layer_has_field<Layer, Field>),
                   said_in<Layer>(Function.view(), breach::field_unknown(Field.view(), all_fields<Layer>)),
                   "a field requires the name of one of the layer's; name one of these");
  AXISMASK_REQUIRE((layer_has_field_once<Layer, Field>),
                   said_in<Layer>(Function.view(), breach::field_ambiguous(Field.view())),
                   "a field of a composition requires a name that only one of its masks has; edit that mask, and "
                   "compose afterwards");
}

template <class Layer, text Function, text Field>
constexpr void check_leaf() {
  check_field<Layer, Function, Field>();
  if constexpr (layer_has_field<Layer, Field>) {
    AXISMASK_REQUIRE((field_is_leaf<Layer, Field>),
                     said_in<Layer>(Function.view(), breach::field_is_structure(Field.view(), leaf_fields<Layer>)),
                     "a selection requires a leaf, and a name is structure; for another name build the layer with "
                     "from_attributes");
  }
}

// The field or the leaf of that name; after an error, another.
template <class Layer, text Field>
inline constexpr std::size_t field_at = std::min(field_index<Layer>(Field.view()), attribute_count<Layer> - 1);
template <class Layer, text Field>
inline constexpr std::size_t leaf_at =
    layer_has_field<Layer, Field> && field_is_leaf<Layer, Field> ? field_at<Layer, Field>
                                                                 : index_of<Layer>(attribute_kind::masked_value);

// -------------------------------------------------------------------------------------------- A value's attribute

template <class T>
concept number = std::is_arithmetic_v<T> && !std::is_same_v<T, bool>;
template <class T>
concept whole_number = number<T> && std::is_integral_v<T>;

// Of a variable, the type that it is to have; of others their own.
template <class Attribute>
struct bound_type : std::type_identity<Attribute> {};
template <text Label, class Bound>
struct bound_type<variable<Label, Bound>> : std::type_identity<Bound> {};

// The type of attribute that a value becomes in the place of an `Attribute`: its own when it is one that plays that
// part; for a plain number one that holds it. void when there is none.
template <class Attribute, class Value>
[[nodiscard]] consteval auto attribute_for() {
  using bound = typename bound_type<Attribute>::type;
  if constexpr (attribute<Value>) {
    if constexpr (kind_of<Value>() == kind_of<Attribute>())
      return std::type_identity<Value>();
    else
      return std::type_identity<void>();
  } else if constexpr (kind_of<Attribute>() == attribute_kind::masked_value) {
    return std::type_identity<std::conditional_t<number<Value>, masked_value, void>>();
  } else if constexpr (kind_of<Attribute>() == attribute_kind::parameter && whole_number<Value>) {
    return std::type_identity<std::conditional_t<std::is_constructible_v<bound, std::int64_t>, bound, count>>();
  } else {
    return std::type_identity<void>();
  }
}
template <class Attribute, class Value>
using attribute_for_t = typename decltype(attribute_for<Attribute, Value>())::type;

template <class Attribute, class Value>
[[nodiscard]] constexpr auto as_attribute(const Value& value) {
  using type = attribute_for_t<Attribute, Value>;
  if constexpr (std::is_same_v<type, Value>) {
    return value;
  } else if constexpr (std::is_same_v<type, masked_value>) {
    return masked_value(static_cast<double>(value));
  } else {
    return type(static_cast<std::int64_t>(value));
  }
}

[[nodiscard]] constexpr std::string_view wanted_for(attribute_kind kind) {
  return kind == attribute_kind::masked_value ? "a number or a masked_value"
                                              : "a whole number, count, constant or counts_over";
}

template <class Layer, std::size_t Index, class Value>
inline constexpr bool value_can_stand_for = !std::is_void_v<attribute_for_t<attribute_type<Layer, Index>, Value>>;

template <class Layer, std::size_t Index>
[[nodiscard]] constexpr breach::sentence value_of_other_type() {
  const attribute_record& record = attribute_records<Layer>[Index];
  return breach::field_of_other_type(record.name, wanted_for(record.kind));
}

// ---------------------------------------------------------------------------------------- A layer of other values

// A template's name with its arguments, types first: `with<...>` is the same with other types. AXISMASK_LAYER cannot
// give this, because C++20 has no parameter that is a type or a value.
template <class Layer>
struct type_arguments {
  using types = std::tuple<>;
};
template <template <class...> class Template, class... Types>
struct type_arguments<Template<Types...>> {
  using types = std::tuple<Types...>;
  template <class... Others>
  using with = Template<Others...>;
};
template <template <class, auto...> class Template, class A, auto... Names>
  requires(sizeof...(Names) > 0)
struct type_arguments<Template<A, Names...>> {
  using types = std::tuple<A>;
  template <class... Others>
  using with = Template<Others..., Names...>;
};
template <template <class, class, auto...> class Template, class A, class B, auto... Names>
  requires(sizeof...(Names) > 0)
struct type_arguments<Template<A, B, Names...>> {
  using types = std::tuple<A, B>;
  template <class... Others>
  using with = Template<Others..., Names...>;
};
template <template <class, class, class, auto...> class Template, class A, class B, class C, auto... Names>
  requires(sizeof...(Names) > 0)
struct type_arguments<Template<A, B, C, Names...>> {
  using types = std::tuple<A, B, C>;
  template <class... Others>
  using with = Template<Others..., Names...>;
};

// The layer with the type argument at `Place` replaced.
template <class Layer, std::size_t Place, class Type, class Places>
struct with_type_argument;
template <class Layer, std::size_t Place, class Type, std::size_t... Index>
struct with_type_argument<Layer, Place, Type, std::index_sequence<Index...>> {
  using types = typename type_arguments<Layer>::types;
  using type = typename type_arguments<Layer>::template with<
      std::conditional_t<Index == Place, Type, std::tuple_element_t<Index, types>>...>;
};

// The layer's types of attributes.
template <class Layer, class Indices = std::make_index_sequence<attribute_count<Layer>>>
struct attribute_types;
template <class Layer, std::size_t... Index>
struct attribute_types<Layer, std::index_sequence<Index...>> {
  using type = std::tuple<attribute_type<Layer, Index>...>;
};

template <class Types, class Wanted>
[[nodiscard]] consteval std::size_t first_difference() {
  return []<std::size_t... Index>(std::index_sequence<Index...>) {
    std::size_t first = 0;
    (void)((std::is_same_v<std::tuple_element_t<Index, Types>, std::tuple_element_t<Index, Wanted>> && ++first) && ...);
    return first;
  }(std::make_index_sequence<std::tuple_size_v<Wanted>>());
}

// A change of one type argument helps when every attribute is then as before or as wanted.
template <class Before, class After, class Wanted>
[[nodiscard]] consteval bool is_on_the_way() {
  return []<std::size_t... Index>(std::index_sequence<Index...>) {
    return ((std::is_same_v<std::tuple_element_t<Index, After>, std::tuple_element_t<Index, Before>> ||
             std::is_same_v<std::tuple_element_t<Index, After>, std::tuple_element_t<Index, Wanted>>) &&
            ...);
  }(std::make_index_sequence<std::tuple_size_v<Wanted>>());
}

// The layer of the same template whose attributes have the `Wanted` types; void when its template has no such.
template <class Layer, class Wanted, std::size_t Place = 0>
[[nodiscard]] consteval auto find_retyped() {
  using before = typename attribute_types<Layer>::type;
  constexpr std::size_t attribute = first_difference<before, Wanted>();
  if constexpr (attribute == attribute_count<Layer>) {
    return std::type_identity<Layer>();
  } else if constexpr (Place == std::tuple_size_v<typename type_arguments<Layer>::types>) {
    return std::type_identity<void>();
  } else {
    using argument = std::tuple_element_t<Place, typename type_arguments<Layer>::types>;
    using wanted = std::tuple_element_t<attribute, Wanted>;
    if constexpr (std::is_same_v<argument, std::tuple_element_t<attribute, before>>) {
      using places = std::make_index_sequence<std::tuple_size_v<typename type_arguments<Layer>::types>>;
      using candidate = typename with_type_argument<Layer, Place, wanted, places>::type;
      using after = typename attribute_types<candidate>::type;
      if constexpr (std::is_same_v<std::tuple_element_t<attribute, after>, wanted> &&
                    is_on_the_way<before, after, Wanted>()) {
        return find_retyped<candidate, Wanted>();
      } else {
        return find_retyped<Layer, Wanted, Place + 1>();
      }
    } else {
      return find_retyped<Layer, Wanted, Place + 1>();
    }
  }
}

// Where the attributes of a composition's part stand among the composition's own: the masked value comes first, and
// is everybody's.
template <class Whole>
struct parts;
template <composition How, class... Masks>
struct parts<composed<How, Masks...>> {
  template <std::size_t Part>
  using type = std::tuple_element_t<Part, std::tuple<Masks...>>;
  using indices = std::index_sequence_for<Masks...>;

  template <std::size_t Part>
  static constexpr auto places = [] {
    constexpr std::array<std::size_t, sizeof...(Masks)> counts{attribute_count<Masks>...};
    std::size_t next = 1;
    for (std::size_t part = 0; part < Part; ++part) next += counts[part] - 1;
    std::array<std::size_t, counts[Part]> result{};
    for (std::size_t index = 0; index < result.size(); ++index) {
      const bool is_masked_value = attribute_records<type<Part>>[index].kind == attribute_kind::masked_value;
      result[index] = is_masked_value ? 0 : next++;
    }
    return result;
  }();
};

template <class Layer>
inline constexpr bool is_composed = false;
template <composition How, class... Masks>
inline constexpr bool is_composed<composed<How, Masks...>> = true;

// The values of a part, of those of the whole.
template <class Whole, std::size_t Part, class Values>
[[nodiscard]] constexpr auto values_of_part(const Values& values) {
  return [&]<std::size_t... Index>(std::index_sequence<Index...>) {
    return std::make_tuple(std::get<parts<Whole>::template places<Part>[Index]>(values)...);
  }(std::make_index_sequence<parts<Whole>::template places<Part>.size()>());
}
template <class Whole, std::size_t Part, class Values>
using types_of_part = decltype(values_of_part<Whole, Part>(std::declval<const Values&>()));

template <class Layer, class Wanted>
struct retyped : decltype(find_retyped<Layer, Wanted>()) {};

template <composition How, class... Masks>
[[nodiscard]] consteval auto composed_of() {
  if constexpr ((std::is_void_v<Masks> || ...)) {
    return std::type_identity<void>();
  } else {
    return std::type_identity<composed<How, Masks...>>();
  }
}
template <class Whole, class Wanted, class Indices>
struct retyped_composition;
template <composition How, class... Masks, class Wanted, std::size_t... Part>
struct retyped_composition<composed<How, Masks...>, Wanted, std::index_sequence<Part...>>
    : decltype(composed_of<How,
                           typename retyped<Masks, types_of_part<composed<How, Masks...>, Part, Wanted>>::type...>()) {
};
template <composition How, class... Masks, class Wanted>
struct retyped<composed<How, Masks...>, Wanted>
    : retyped_composition<composed<How, Masks...>, Wanted, std::index_sequence_for<Masks...>> {};

// A layer of these attributes, in its order.
template <class Layer, class Values>
[[nodiscard]] constexpr Layer built(const Values& values) {
  if constexpr (is_composed<Layer>) {
    return [&]<std::size_t... Part>(std::index_sequence<Part...>) {
      return Layer{std::get<0>(values),
                   {built<typename parts<Layer>::template type<Part>>(values_of_part<Layer, Part>(values))...}};
    }(typename parts<Layer>::indices());
  } else {
    return std::apply([](const auto&... attributes) { return Layer{attributes...}; }, values);
  }
}

template <class Layer>
[[nodiscard]] constexpr auto attribute_tuple(const Layer& layer) {
  return [&]<std::size_t... Index>(std::index_sequence<Index...>) {
    return typename attribute_types<Layer>::type(attribute_of<Layer, Index>(layer)...);
  }(std::make_index_sequence<attribute_count<Layer>>());
}

// The layer with other values, in a type that has room for them: `replace(value, index)` gives each attribute.
template <class Layer, class Replace>
[[nodiscard]] constexpr auto replaced_attributes(const Layer& layer, Replace replace) {
  return [&]<std::size_t... Index>(std::index_sequence<Index...>) {
    return std::make_tuple(replace(attribute_of<Layer, Index>(layer), std::integral_constant<std::size_t, Index>())...);
  }(std::make_index_sequence<attribute_count<Layer>>());
}

template <class Layer, class Values>
inline constexpr bool types_can_change = !std::is_void_v<typename retyped<Layer, Values>::type>;

template <class Layer, class Values>
[[nodiscard]] consteval std::string_view first_changed_field() {
  constexpr std::size_t index = first_difference<typename attribute_types<Layer>::type, Values>();
  return attribute_records<Layer>[std::min(index, attribute_count<Layer> - 1)].name;
}

// Never defined: what a function gives after an error, so that the error stays the only one.
template <class Layer>
Layer nothing_after_an_error();

// The layer of these attributes, in a type that has room for them.
template <class Layer, text Function, class Values>
[[nodiscard]] constexpr auto rebuilt(const Values& values) {
  AXISMASK_REQUIRE((types_can_change<Layer, Values>),
                   (said_in<Layer>(Function.view(), breach::field_type_is_fixed(first_changed_field<Layer, Values>()))),
                   "a value of another type requires that the field's type is a parameter of the layer's template; "
                   "give a value of the field's type, or make the type a parameter, types before names");
  if constexpr (types_can_change<Layer, Values>) {
    return built<typename retyped<Layer, Values>::type>(values);
  } else {
    return nothing_after_an_error<Layer>();
  }
}

// A leaf as its user reads it: a parameter that is one number as that number.
template <class Attribute>
[[nodiscard]] constexpr auto plain(const Attribute& attribute) {
  if constexpr (kind_of<Attribute>() == attribute_kind::parameter && !is_counts_over<Attribute> &&
                !is_variable<Attribute>) {
    return std::int64_t{attribute.value};
  } else {
    return attribute;
  }
}

}  // namespace detail

// ------------------------------------------------------------------------------------------------------ Attributes

// Every field of a layer with its value, in the layer's order.
template <declared_layer Layer>
class attributes_of_layer {
 public:
  constexpr explicit attributes_of_layer(const Layer& layer) : layer_(layer) {}

  [[nodiscard]] static constexpr std::size_t size() { return detail::attribute_count<Layer>; }

  // The value of a field. That of a name is its attribute, which has it in its type: `.name`.
  template <text Field>
  [[nodiscard]] constexpr const auto& at() const {
    detail::check_field<Layer, "attributes_dict", Field>();
    return detail::attribute_of<Layer, detail::field_at<Layer, Field>>(layer_);
  }

  // Calls `visit(name, value)` for each field.
  template <class Visit>
  constexpr void for_each(Visit visit) const {
    [&]<std::size_t... Index>(std::index_sequence<Index...>) {
      (visit(detail::attribute_records<Layer>[Index].name, detail::attribute_of<Layer, Index>(layer_)), ...);
    }(std::make_index_sequence<size()>());
  }

  [[nodiscard]] constexpr const Layer& layer() const { return layer_; }

 private:
  Layer layer_;
};

template <declared_layer Layer>
[[nodiscard]] constexpr attributes_of_layer<Layer> attributes_dict(const Layer& layer) {
  return attributes_of_layer<Layer>(layer);
}

namespace detail {

template <class Layer, text Field, class... Fields>
inline constexpr bool field_is_given = ((Fields::field_name == Field.view()) || ...);
template <class Layer, text Field, class... Fields>
inline constexpr bool field_is_given_once = ((Fields::field_name == Field.view() ? 1 : 0) + ... + 0) < 2;

// Is the value one that the layer's type has room for: the same name, or a leaf of the same type?
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

// One field that is given: known, once, and of a value that fits.
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

// A layer of all its fields by name, in any order, names too. To leave the names out, write the struct's braces.
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

// The key of a field in the path to a leaf: `key_for_field<"sliding_window_size">(layer)`.
template <text Field, declared_layer Layer>
[[nodiscard]] constexpr attribute_key key_for_field(const Layer&) {
  detail::check_field<Layer, "key_for_field", Field>();
  return {detail::attribute_records<Layer>[detail::field_at<Layer, Field>].name};
}

// ------------------------------------------------------------------------------------------------------ Selections

// One leaf of a layer, or the layer's copy with another value there.
template <declared_layer Layer, std::size_t Index>
class leaf_selection {
 public:
  constexpr explicit leaf_selection(const Layer& layer) : layer_(layer) {}

  // The value: of a parameter that is one number, that number.
  [[nodiscard]] constexpr auto get() const { return detail::plain(detail::attribute_of<Layer, Index>(layer_)); }

  // The layer with this value. The layer's type changes with the value's where it has to: from `count` to
  // `constant<512>`, to `counts_over<...>` or to `variable<"window">`.
  template <class Value>
  [[nodiscard]] constexpr auto set(const Value& value) const {
    using attribute = detail::attribute_type<Layer, Index>;
    AXISMASK_REQUIRE((detail::value_can_stand_for<Layer, Index, Value>),
                     detail::said_in<Layer>("select", detail::value_of_other_type<Layer, Index>()),
                     "a field requires a value that can stand there; give a number, or an attribute of the same part");
    if constexpr (detail::value_can_stand_for<Layer, Index, Value>) {
      const auto values = detail::replaced_attributes(layer_, [&](const auto& old, auto index) {
        if constexpr (index == Index) {
          return detail::as_attribute<attribute>(value);
        } else {
          return old;
        }
      });
      return detail::rebuilt<Layer, "select">(values);
    } else {
      return layer_;
    }
  }

  // The layer with what `function` makes of the value.
  template <class Function>
  [[nodiscard]] constexpr auto apply(Function function) const {
    return set(function(get()));
  }

 private:
  Layer layer_;
};

// A whole layer, from which a leaf can be selected.
template <declared_layer Layer>
class selection {
 public:
  constexpr explicit selection(const Layer& layer) : layer_(layer) {}

  template <text Field>
  [[nodiscard]] constexpr auto at() const {
    detail::check_leaf<Layer, "select", Field>();
    return leaf_selection<Layer, detail::leaf_at<Layer, Field>>(layer_);
  }

  [[nodiscard]] constexpr const Layer& get() const { return layer_; }

 private:
  Layer layer_;
};

//   const auto wider = select(layer).at<"sliding_window_size">().set(1024);
//   const auto twice = select(layer).at<"sliding_window_size">().apply([](auto size) { return 2 * size; });
template <declared_layer Layer>
[[nodiscard]] constexpr selection<Layer> select(const Layer& layer) {
  return selection<Layer>(layer);
}

// ----------------------------------------------------------------------------------------------------------- Trees

// A layer without its leaves. It is all in the type.
template <declared_layer Layer>
struct tree_structure {
  static constexpr std::size_t leaf_count = detail::leaf_fields<Layer>.size();

  // The leaves' fields, in the layer's order.
  [[nodiscard]] static constexpr breach::names child_field_names() { return detail::leaf_fields<Layer>; }

  // Every other field with its value, a name: pairs, in the layer's order.
  [[nodiscard]] static constexpr auto static_fields() {
    std::array<std::pair<std::string_view, std::string_view>, detail::attribute_count<Layer> - leaf_count> fields{};
    std::size_t next = 0;
    for (const attribute_record& record : detail::attribute_records<Layer>) {
      if (!is_leaf(record.kind)) fields[next++] = {record.name, record.default_name};
    }
    return fields;
  }

  template <class Other>
  friend constexpr bool operator==(tree_structure, tree_structure<Other>) {
    return std::is_same_v<Layer, Other>;
  }
};

// A layer taken apart: `const auto [leaves, structure] = tree_flatten(layer)`.
template <class Leaves, class Structure>
struct flattened {
  Leaves leaves;  // a std::tuple
  Structure structure;
};

template <declared_layer Layer>
[[nodiscard]] constexpr auto tree_flatten(const Layer& layer) {
  return [&]<std::size_t... Place>(std::index_sequence<Place...>) {
    const auto leaves = std::make_tuple(detail::attribute_of<Layer, detail::leaf_indices<Layer>[Place]>(layer)...);
    return flattened<std::remove_const_t<decltype(leaves)>, tree_structure<Layer>>{leaves, {}};
  }(std::make_index_sequence<tree_structure<Layer>::leaf_count>());
}

// The same, each leaf in a pair with its key.
template <declared_layer Layer>
[[nodiscard]] constexpr auto tree_flatten_with_keys(const Layer& layer) {
  return [&]<std::size_t... Place>(std::index_sequence<Place...>) {
    const auto leaves =
        std::make_tuple(std::pair(attribute_key{tree_structure<Layer>::child_field_names()[Place]},
                                  detail::attribute_of<Layer, detail::leaf_indices<Layer>[Place]>(layer))...);
    return flattened<std::remove_const_t<decltype(leaves)>, tree_structure<Layer>>{leaves, {}};
  }(std::make_index_sequence<tree_structure<Layer>::leaf_count>());
}

namespace detail {

template <class Layer, std::size_t Given>
inline constexpr bool leaves_are_the_layers = Given == tree_structure<Layer>::leaf_count;

template <class Layer, std::size_t Place, class Leaf>
constexpr void check_leaf_value() {
  constexpr std::size_t index = leaf_indices<Layer>[Place];
  AXISMASK_REQUIRE((value_can_stand_for<Layer, index, Leaf>),
                   (said_in<Layer>("tree_unflatten", value_of_other_type<Layer, leaf_indices<Layer>[Place]>())),
                   "a leaf requires a value that can stand there; give a number, or an attribute of the same part");
}

template <class Layer, class... Leaves>
inline constexpr bool leaves_fit = []<std::size_t... Place>(std::index_sequence<Place...>) {
  return (value_can_stand_for<Layer, leaf_indices<Layer>[Place], Leaves> && ...);
}(std::index_sequence_for<Leaves...>());

// A layer's attributes, of its leaves.
template <class Layer, class Leaves>
[[nodiscard]] constexpr auto attributes_of_leaves(const Leaves& leaves) {
  const auto attribute = [&]<std::size_t Index>(std::integral_constant<std::size_t, Index>) {
    using type = attribute_type<Layer, Index>;
    if constexpr (is_leaf(attribute_records<Layer>[Index].kind)) {
      return as_attribute<type>(std::get<leaf_place<Layer>(Index)>(leaves));
    } else {
      return type();
    }
  };
  return [&]<std::size_t... Index>(std::index_sequence<Index...>) {
    return std::make_tuple(attribute(std::integral_constant<std::size_t, Index>())...);
  }(std::make_index_sequence<attribute_count<Layer>>());
}

}  // namespace detail

// The inverse: a layer of that structure with these leaves, numbers or attributes.
template <class Layer, class... Leaves>
[[nodiscard]] constexpr auto tree_unflatten(tree_structure<Layer>, const std::tuple<Leaves...>& leaves) {
  AXISMASK_REQUIRE((detail::leaves_are_the_layers<Layer, sizeof...(Leaves)>),
                   detail::said_in<Layer>("tree_unflatten", breach::leaves_of_other_number(detail::leaf_fields<Layer>)),
                   "tree_unflatten requires a value for each leaf of the layer; give one for each");
  if constexpr (detail::leaves_are_the_layers<Layer, sizeof...(Leaves)>) {
    [&]<std::size_t... Place>(std::index_sequence<Place...>) {
      (detail::check_leaf_value<Layer, Place, Leaves>(), ...);
    }(std::index_sequence_for<Leaves...>());
    if constexpr (detail::leaves_fit<Layer, Leaves...>) {
      return detail::rebuilt<Layer, "tree_unflatten">(detail::attributes_of_leaves<Layer>(leaves));
    } else {
      return detail::nothing_after_an_error<Layer>();
    }
  } else {
    return detail::nothing_after_an_error<Layer>();
  }
}

// -------------------------------------------------------------------------------------------------- Variables, used

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

// One value that is given for a variable: known, once, and one that fits.
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

// The layer with values in the place of variables. A variable that stands in several leaves is bound in all; those
// that get no value stay variables. A value without a variable is an error, but for `allow_unused`.
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

// Calls the layer with values for its variables, which it keeps not. The result, and the variables' values after the
// call, as in penzai; a mask changes none, so they are those that were given.
//   const auto [masked, values] = stateless_call(layer, std::tuple(value<"window">(512)), logits,
//                                                input<"token_positions">(positions));
template <declared_layer Layer, text... Labels, class... Values, class Logits, class... Inputs>
[[nodiscard]] auto stateless_call(const Layer& layer, const std::tuple<variable_value<Labels, Values>...>& values,
                                  Logits&& logits, const Inputs&... inputs) {
  const auto bound =
      std::apply([&](const auto&... each) { return detail::bind<"stateless_call", false>(layer, each...); }, values);
  return std::pair(bound(logits, inputs...), values);
}

// ---------------------------------------------------------------------------------------------------------- Colour

// The colour in which treescope shows the layer, as CSS. The layers that penzai has too have penzai's colour; others
// that of a class with their name.
template <declared_layer Layer>
[[nodiscard]] std::string treescope_color(const Layer&) {
  return detail::color_of_layer(detail::unqualified_name<Layer>());
}

}  // namespace axismask
