// What a value becomes as an attribute of a layer: a number, or an attribute of another type.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <type_traits>

#include "axismask/layer/attributes.hpp"
#include "axismask/layer/reflection.hpp"
#include "axismask/messages/text.hpp"
#include "axismask/structure/structure_breach.hpp"
#include "axismask/structure/variable.hpp"

namespace axismask {

namespace detail {

template <class T>
concept number = std::is_arithmetic_v<T> && !std::is_same_v<T, bool>;
template <class T>
concept whole_number = number<T> && std::is_integral_v<T>;

// The type that a variable has once it is bound; for other attributes their own.
template <class Attribute>
struct bound_type : std::type_identity<Attribute> {};
template <text Label, class Bound>
struct bound_type<variable<Label, Bound>> : std::type_identity<Bound> {};

// The type of attribute that a value becomes where it replaces an `Attribute`: its own type if it is an attribute of
// the same kind; for a plain number a type that holds it. void when there is none.
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
    return std::type_identity<
        std::conditional_t<!is_counts_over<bound> && std::is_constructible_v<bound, std::int64_t>, bound, count>>();
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

template <class Layer, std::size_t Index, class Value>
inline constexpr bool value_can_stand_for = !std::is_void_v<attribute_for_t<attribute_type<Layer, Index>, Value>>;

template <class Layer, std::size_t Index>
[[nodiscard]] constexpr breach::sentence value_of_other_type() {
  const attribute_record& record = attribute_records<Layer>[Index];
  return breach::field_of_other_type(record.name, info(record.kind).wanted);
}

}  // namespace detail

}  // namespace axismask
