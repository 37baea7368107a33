// The side inputs of a call, by their names.
#pragma once

#include <concepts>
#include <initializer_list>
#include <span>
#include <string_view>
#include <type_traits>

#include "axismask/arrays/any_view.hpp"
#include "axismask/arrays/named_array.hpp"
#include "axismask/messages/require.hpp"
#include "axismask/messages/text.hpp"

namespace axismask {

// A side input whose name is known at run time: `{"token_positions", positions}`. The array is an any_view, a
// named_view or a named_array.
struct side_input {
  std::string_view name;
  any_view array;
};

// A side input whose name is known to the compiler, and a view of its array.
template <text Name, class View>
struct named_input {
  static constexpr text name = Name;
  using view_type = View;
  View view;

  operator side_input() const { return {Name.view(), view.erased()}; }  // NOLINT: implicit, it is the same side input
};

namespace detail {

// In the place of a side input that has had its error, so that no other follows.
struct refused_input {
  operator side_input() const;  // never defined
};

template <text Name, class Array>
inline constexpr bool input_has_named_axes = named<Array>;

}  // namespace detail

// Gives a call the side input called `Name`: `input<"token_positions">(positions)`. The array is a named_view or a
// named_array, and must live as long as the call.
template <text Name, class Array>
[[nodiscard]] auto input(Array&& array) {
  AXISMASK_REQUIRE((detail::input_has_named_axes<Name, std::remove_reference_t<Array>>),
                   phrase("input(") + Name.view() + "): it is no array with names for its axes; give a named_view of " +
                       "the memory, with its axes and sizes",
                   "input<name>(array) requires an array with names for its axes; give a named_view of the memory");
  if constexpr (named<Array>) {
    return named_input<Name, decltype(as_view(array))>{as_view(array)};
  } else {
    return detail::refused_input();
  }
}

// All side inputs of a call: a list in braces, `{{"token_positions", positions}}`, a std::vector or another array of
// them. A parameter's type: it owns nothing, and lives no longer than the call.
class side_inputs {
 public:
  side_inputs(std::initializer_list<side_input> list)  // NOLINT: implicit, a list is written in its place
      : given_(list.begin(), list.size()) {}
  template <std::convertible_to<std::span<const side_input>> List>
  side_inputs(const List& list) : given_(list) {}  // NOLINT: implicit, too

  operator std::span<const side_input>() const { return given_; }  // NOLINT: it is such a list

 private:
  std::span<const side_input> given_;
};

}  // namespace axismask
