// A call of a layer: checked by the compiler, and handed to the runtime with the layer's attributes as values.
#pragma once

#include <array>
#include <cstddef>
#include <type_traits>
#include <utility>

#include "axismask/arrays/any_view.hpp"
#include "axismask/arrays/named_array.hpp"
#include "axismask/call/call.hpp"
#include "axismask/call/check_arguments.hpp"
#include "axismask/call/check_call.hpp"
#include "axismask/call/side_input.hpp"
#include "axismask/layer/attributes.hpp"
#include "axismask/layer/check_layer.hpp"
#include "axismask/layer/reflection.hpp"
#include "axismask/messages/text.hpp"

namespace axismask {

namespace detail {

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

}  // namespace detail

// Calls `use` with a layer's attributes as run-time values, `layer_values&`.
template <class Layer, class Use>
auto with_values(const Layer& layer, Use use) {
  return [&]<std::size_t... Index>(std::index_sequence<Index...>) {
    std::array<any_view, sizeof...(Index)> numbers;
    layer_values values{
        &layer_type_of<Layer>,
        detail::attribute_of<Layer, detail::index_of<Layer>(attribute_kind::masked_value)>(layer),
        {detail::value_of(detail::attribute_of<Layer, Index>(layer), numbers[Index])...},
    };
    return use(values);
  }(std::make_index_sequence<detail::attribute_count<Layer>>());
}

namespace detail {

// Checks what stands where, and then the types of what stands there.
template <class Layer, class Logits, class Out, class... Inputs>
constexpr void check_whole_call() {
  check_is_array<Layer, "logits", std::remove_const_t<Logits>>();
  if constexpr (named<Logits>) {
    if constexpr (!std::is_same_v<Logits, Out>) check_is_array<Layer, "result", std::remove_const_t<Out>>();
    if constexpr (named<Out>) (check_has_name<Layer, Inputs>(), ...);
  }
}
template <class Logits, class Out, class... Inputs>
inline constexpr bool stands_right = named<Logits> && named<Out> && are_side_inputs<Inputs...>;

template <empty_row_rule Rows, class Layer, class Logits, class Out, class... Inputs>
void run_into(const call_options& options, const Layer& layer, Logits& logits, Out& out, const Inputs&... inputs) {
  check_whole_call<Layer, Logits, Out, Inputs...>();
  if constexpr (stands_right<Logits, Out, Inputs...>) {
    using logits_view = decltype(as_view(logits));
    using out_view = decltype(as_view(out));
    check_call<Layer, logits_view, Inputs...>();
    if constexpr (is_layer<Layer>) {
      Layer::axismask_ask_for_kernels();
      check_result<Layer, typename out_view::element_type, typename out_view::axes_type,
                   std::remove_const_t<typename logits_view::element_type>, typename logits_view::axes_type>();
      with_values(layer, [&](layer_values& values) {
        values.empty_rows = Rows;
        const std::array<side_input, sizeof...(Inputs)> given{side_input(inputs)...};
        ::axismask::apply(values, as_view(logits).erased(), as_view(out).erased(), given, options);
      });
    }
  }
}

template <empty_row_rule Rows, class Layer, class Logits, class... Inputs>
[[nodiscard]] auto run(const call_options& options, const Layer& layer, Logits& logits, const Inputs&... inputs) {
  if constexpr (named<Logits>) {
    const auto view = as_view(logits);
    named_array<std::remove_const_t<typename decltype(view)::element_type>, typename decltype(view)::axes_type> out(
        view.sizes());
    run_into<Rows>(options, layer, view, out, inputs...);
    return out;
  } else {
    check_whole_call<Layer, Logits, Logits, Inputs...>();
    return refused_input();  // the call has had its error
  }
}

// The three calls of AXISMASK_CALLS. Their first argument is the options or, without any, the logits.
template <empty_row_rule Rows, class Layer, class First, class... Rest>
[[nodiscard]] auto call(const Layer& layer, First& first, Rest&... rest) {
  if constexpr (is_call_options<First>) {
    return run<Rows>(first, layer, rest...);
  } else {
    return run<Rows>({}, layer, first, rest...);
  }
}

template <empty_row_rule Rows, class Layer, class First, class... Rest>
void call_into(const Layer& layer, First& first, Rest&... rest) {
  if constexpr (is_call_options<First>) {
    run_into<Rows>(first, layer, rest...);
  } else {
    run_into<Rows>({}, layer, first, rest...);
  }
}

template <empty_row_rule Rows, class Layer, class First, class... Rest>
void call_in_place(const Layer& layer, First& first, Rest&... rest) {
  if constexpr (is_call_options<First>) {
    [&](auto& logits, const auto&... inputs) { run_into<Rows>(first, layer, logits, logits, inputs...); }(rest...);
  } else {
    run_into<Rows>({}, layer, first, first, rest...);
  }
}

}  // namespace detail

}  // namespace axismask
