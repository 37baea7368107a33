// Rows of which a mask keeps nothing: what is to become of them, for layers whose names are known to the compiler.
//
//   const ApplyCausalAttentionMask causal{.masked_out_value = masked_value::lowest()};
//   with_empty_rows<empty_row_rule::keep_self>(causal).apply_in_place(logits, input<"token_positions">(positions));
//
// The result is called as the layer is, but is no layer and does not compose: a rule is for the composed mask, so
// compose first. Rows that are not empty are masked as without the rule.
//
// keep_self keeps in an empty row each key whose position is the query's own: several, if several have it. A padding
// query at -1 keeps the padding keys at -1, so that its softmax is finite. Where no key has the query's position, the
// row stays masked. In place, such a call works on a copy of what it keeps.
#pragma once

#include <cstddef>
#include <optional>

#include "axismask/call/call_breach.hpp"
#include "axismask/call/empty_row_rule.hpp"
#include "axismask/layer.hpp"

namespace axismask {

namespace detail {

template <empty_row_rule Rows, class Layer>
[[nodiscard]] constexpr std::optional<breach::sentence> breach_of_layer() {
  return breach_of(Rows, attribute_records<Layer>,
                   [](std::size_t index) { return attribute_records<Layer>[index].default_name; });
}

template <empty_row_rule Rows, class Layer>
inline constexpr bool layer_can_have_empty_rows = !breach_of_layer<Rows, Layer>();

}  // namespace detail

// A layer with a rule for its empty rows, to be called as the layer is.
template <empty_row_rule Rows, class Layer>
struct layer_with_empty_rows {
  Layer layer;

  AXISMASK_CALLS(Rows, layer)
};

// Gives a layer a rule for its empty rows. A rule that the layer cannot have is a compile error: `error` and
// `keep_self` require a key/value axis, `keep_self` one side input with positions of queries and one with those of keys
// too.
template <empty_row_rule Rows, class Layer>
[[nodiscard]] constexpr auto with_empty_rows(const Layer& layer) {
  check_layer<Layer>();
  if constexpr (detail::is_layer<Layer>) {
    AXISMASK_REQUIRE(
        (detail::layer_can_have_empty_rows<Rows, Layer>),
        detail::said_of<Layer>("empty_rows", *detail::breach_of_layer<Rows, Layer>()),
        "this rule for empty rows requires an axis of keys, and keep_self one side input with the positions "
        "of queries and one with those of keys; take another rule, or compose with a layer that has them");
  }
  return layer_with_empty_rows<Rows, Layer>{layer};
}

namespace detail {

// What a function takes that does with a layer something else than calling it: a layer, with a rule or without.
template <class Layer>
inline constexpr bool is_ruled = false;
template <empty_row_rule Rows, class Layer>
inline constexpr bool is_ruled<layer_with_empty_rows<Rows, Layer>> = true;

template <class Layer>
concept any_static_layer = is_ruled<Layer> || requires { typename Layer::hana_accessors_impl; };

template <class Layer>
struct bare {
  using type = Layer;
};
template <empty_row_rule Rows, class Layer>
struct bare<layer_with_empty_rows<Rows, Layer>> {
  using type = Layer;
};

// Calls `use` with the layer's attributes and its rule as run-time values. Asks the linker for its kernels.
template <class Layer, class Use>
auto with_ruled_values(const Layer& layer, Use use) {
  Layer::axismask_ask_for_kernels();
  return with_values(layer, use);
}
template <empty_row_rule Rows, class Layer, class Use>
auto with_ruled_values(const layer_with_empty_rows<Rows, Layer>& layer, Use use) {
  return with_ruled_values(layer.layer, [&](layer_values& values) {
    values.empty_rows = Rows;
    return use(values);
  });
}

}  // namespace detail

}  // namespace axismask
