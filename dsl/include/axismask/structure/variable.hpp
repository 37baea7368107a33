// Variables: leaves of a layer whose value comes later, and the values that are given for them.
#pragma once

#include <cstdint>
#include <string_view>

#include "axismask/layer/attributes.hpp"
#include "axismask/messages/require.hpp"
#include "axismask/messages/text.hpp"
#include "axismask/structure/structure_breach.hpp"

namespace axismask {

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

// A variable's value, a number or an attribute: `value<"window">(512)`.
template <text Label, class T>
struct variable_value {
  static constexpr std::string_view label = Label.view();
  T value;
};
template <text Label, class T>
[[nodiscard]] constexpr variable_value<Label, T> value(T given) {
  return {given};
}

}  // namespace axismask
