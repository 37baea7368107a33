// A layer of other values: its struct's template with the type arguments that have room for them.
#pragma once

#include <array>
#include <cstddef>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>

#include "axismask/declaration/composed.hpp"
#include "axismask/layer/attributes.hpp"
#include "axismask/layer/reflection.hpp"
#include "axismask/messages/require.hpp"
#include "axismask/messages/text.hpp"
#include "axismask/readings/integer.hpp"
#include "axismask/structure/fields.hpp"
#include "axismask/structure/structure_breach.hpp"
#include "axismask/structure/values.hpp"

namespace axismask {

namespace detail {

// A template and its arguments, types first: `rebind<...>` is the template with other types. AXISMASK_LAYER cannot
// give this, because C++20 has no parameter that is a type or a value.
template <class Layer>
struct type_arguments {
  using types = std::tuple<>;
};
template <template <class...> class Template, class... Types>
struct type_arguments<Template<Types...>> {
  using types = std::tuple<Types...>;
  template <class... Others>
  using rebind = Template<Others...>;
};
template <template <class, auto...> class Template, class A, auto... Names>
  requires(sizeof...(Names) > 0)
struct type_arguments<Template<A, Names...>> {
  using types = std::tuple<A>;
  template <class... Others>
  using rebind = Template<Others..., Names...>;
};
template <template <class, class, auto...> class Template, class A, class B, auto... Names>
  requires(sizeof...(Names) > 0)
struct type_arguments<Template<A, B, Names...>> {
  using types = std::tuple<A, B>;
  template <class... Others>
  using rebind = Template<Others..., Names...>;
};
template <template <class, class, class, auto...> class Template, class A, class B, class C, auto... Names>
  requires(sizeof...(Names) > 0)
struct type_arguments<Template<A, B, C, Names...>> {
  using types = std::tuple<A, B, C>;
  template <class... Others>
  using rebind = Template<Others..., Names...>;
};

// The layer with the type argument at `Argument` replaced.
template <class Layer, std::size_t Argument, class Type, class Indices>
struct with_type_argument;
template <class Layer, std::size_t Argument, class Type, std::size_t... Index>
struct with_type_argument<Layer, Argument, Type, std::index_sequence<Index...>> {
  using types = typename type_arguments<Layer>::types;
  using type = typename type_arguments<Layer>::template rebind<
      std::conditional_t<Index == Argument, Type, std::tuple_element_t<Index, types>>...>;
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

// The layer of the same template whose attributes have the `Wanted` types; void when its template cannot have them.
template <class Layer, class Wanted, std::size_t Argument = 0>
[[nodiscard]] consteval auto find_retyped() {
  using before = typename attribute_types<Layer>::type;
  constexpr std::size_t attribute = first_difference<before, Wanted>();
  if constexpr (attribute == attribute_count<Layer>) {
    return std::type_identity<Layer>();
  } else if constexpr (Argument == std::tuple_size_v<typename type_arguments<Layer>::types>) {
    return std::type_identity<void>();
  } else {
    using old_type = std::tuple_element_t<Argument, typename type_arguments<Layer>::types>;
    using wanted = std::tuple_element_t<attribute, Wanted>;
    if constexpr (std::is_same_v<old_type, std::tuple_element_t<attribute, before>>) {
      using indices_of_arguments = std::make_index_sequence<std::tuple_size_v<typename type_arguments<Layer>::types>>;
      using candidate = typename with_type_argument<Layer, Argument, wanted, indices_of_arguments>::type;
      using after = typename attribute_types<candidate>::type;
      if constexpr (std::is_same_v<std::tuple_element_t<attribute, after>, wanted> &&
                    is_on_the_way<before, after, Wanted>()) {
        return find_retyped<candidate, Wanted>();
      } else {
        return find_retyped<Layer, Wanted, Argument + 1>();
      }
    } else {
      return find_retyped<Layer, Wanted, Argument + 1>();
    }
  }
}

// The indices of a part's attributes among those of its composition: the masked value, which all parts share, comes
// first.
template <class Composition>
struct parts;
template <composition How, class... Masks>
struct parts<composed<How, Masks...>> {
  template <std::size_t Part>
  using type = std::tuple_element_t<Part, std::tuple<Masks...>>;
  using indices = std::index_sequence_for<Masks...>;

  template <std::size_t Part>
  static constexpr auto attribute_indices = [] {
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

// A part's values, taken from the values of its composition.
template <class Composition, std::size_t Part, class Values>
[[nodiscard]] constexpr auto values_of_part(const Values& values) {
  return [&]<std::size_t... Index>(std::index_sequence<Index...>) {
    return std::make_tuple(std::get<parts<Composition>::template attribute_indices<Part>[Index]>(values)...);
  }(std::make_index_sequence<parts<Composition>::template attribute_indices<Part>.size()>());
}
template <class Composition, std::size_t Part, class Values>
using types_of_part = decltype(values_of_part<Composition, Part>(std::declval<const Values&>()));

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
template <class Composition, class Wanted, class Indices>
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
  return attribute_records<Layer>[smaller(index, attribute_count<Layer> - 1)].name;
}

// Never defined. A function returns it after an error, so that no second error follows.
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

}  // namespace detail

}  // namespace axismask
