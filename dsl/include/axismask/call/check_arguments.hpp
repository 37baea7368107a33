// What stands where in a call: the logits and the result are arrays with named axes, and after them come side inputs,
// each with its name. Checked before anything is asked of their axes.
#pragma once

#include <type_traits>

#include "axismask/arrays/any_view.hpp"
#include "axismask/arrays/named_array.hpp"
#include "axismask/call/call.hpp"
#include "axismask/call/call_breach.hpp"
#include "axismask/call/check_call.hpp"
#include "axismask/call/side_input.hpp"
#include "axismask/messages/require.hpp"
#include "axismask/messages/text.hpp"

namespace axismask {

namespace detail {

template <class Given>
inline constexpr bool is_call_options = std::is_same_v<std::remove_const_t<Given>, call_options>;

// Is it what `input` gives? A refused one has had its error.
template <class Given>
inline constexpr bool is_named_input = std::is_same_v<Given, refused_input>;
template <text Name, class View>
inline constexpr bool is_named_input<named_input<Name, View>> = true;

// What the checks ask. Each names in its arguments what a compiler should print.
template <class Layer, text Argument, class Given>
inline constexpr bool is_no_side_input = !is_named_input<Given>;
template <class Layer, text Argument, class Given>
inline constexpr bool is_no_any_view = !std::is_same_v<Given, any_view>;
template <class Layer, text Argument, class Given>
inline constexpr bool are_no_options = !is_call_options<Given>;
template <class Layer, text Argument, class Given>
inline constexpr bool has_named_axes = named<Given>;
template <class Layer, class Given>
inline constexpr bool has_a_name = is_named_input<Given>;

template <class Layer, text Argument, class Given>
constexpr void check_are_no_options() {
  AXISMASK_REQUIRE((are_no_options<Layer, Argument, Given>),
                   said_of<Layer>(Argument.view(), breach::options_not_first()),
                   "options come first in a call; write layer.apply(options, logits, ...)");
}

// Checks that the logits or the result are an array with named axes.
template <class Layer, text Argument, class Given>
constexpr void check_is_array() {
  AXISMASK_REQUIRE((is_no_side_input<Layer, Argument, Given>),
                   said_of<Layer>(Argument.view(), breach::side_input_not_last()),
                   "side inputs come last in a call; give the logits first, then the result of apply, then them");
  AXISMASK_REQUIRE((is_no_any_view<Layer, Argument, Given>), said_of<Layer>(Argument.view(), breach::axes_not_known()),
                   "the axes of an any_view are known at run time only; give a named_view, or call a layer of a Model");
  check_are_no_options<Layer, Argument, Given>();
  if constexpr (!is_named_input<Given> && !std::is_same_v<Given, any_view> && !is_call_options<Given>) {
    AXISMASK_REQUIRE((has_named_axes<Layer, Argument, Given>), said_of<Layer>(Argument.view(), breach::no_named_axes()),
                     "a call requires arrays with names for their axes; give a named_view of the memory");
  }
}

// Checks that a side input has its name.
template <class Layer, class Given>
constexpr void check_has_name() {
  if constexpr (is_call_options<Given>) {
    check_are_no_options<Layer, "options", Given>();
  } else {
    AXISMASK_REQUIRE((has_a_name<Layer, Given>),
                     said_of<Layer>("side inputs", breach::side_input_without_name(taken_names<Layer>)),
                     "a call requires each side input with its name; write input<name>(array)");
  }
}

// Can a call with these side inputs be looked at further?
template <class... Inputs>
inline constexpr bool are_side_inputs = ((is_named_input<Inputs> && !std::is_same_v<Inputs, refused_input>) && ...);

}  // namespace detail

}  // namespace axismask
