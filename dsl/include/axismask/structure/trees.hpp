// A layer taken apart into its leaves and its structure, and put together again, as JAX does with trees.
#pragma once

#include <array>
#include <cstddef>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>

#include "axismask/layer/attributes.hpp"
#include "axismask/layer/reflection.hpp"
#include "axismask/messages/require.hpp"
#include "axismask/messages/text.hpp"
#include "axismask/structure/fields.hpp"
#include "axismask/structure/rebuild.hpp"
#include "axismask/structure/structure_breach.hpp"
#include "axismask/structure/structure_words.hpp"
#include "axismask/structure/values.hpp"

namespace axismask {

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
    for (const attribute_record& record : attribute_records<Layer>) {
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

// Takes a layer apart: its leaves as a tuple in the layer's order, and its structure.
template <declared_layer Layer>
[[nodiscard]] constexpr auto tree_flatten(const Layer& layer) {
  return [&]<std::size_t... LeafIndex>(std::index_sequence<LeafIndex...>) {
    const auto leaves = std::make_tuple(detail::attribute_of<Layer, detail::leaf_indices<Layer>[LeafIndex]>(layer)...);
    return flattened<std::remove_const_t<decltype(leaves)>, tree_structure<Layer>>{leaves, {}};
  }(std::make_index_sequence<tree_structure<Layer>::leaf_count>());
}

// Takes a layer apart as tree_flatten does; each leaf is a pair of its key and its value.
template <declared_layer Layer>
[[nodiscard]] constexpr auto tree_flatten_with_keys(const Layer& layer) {
  return [&]<std::size_t... LeafIndex>(std::index_sequence<LeafIndex...>) {
    const auto leaves =
        std::make_tuple(std::pair(attribute_key{tree_structure<Layer>::child_field_names()[LeafIndex]},
                                  detail::attribute_of<Layer, detail::leaf_indices<Layer>[LeafIndex]>(layer))...);
    return flattened<std::remove_const_t<decltype(leaves)>, tree_structure<Layer>>{leaves, {}};
  }(std::make_index_sequence<tree_structure<Layer>::leaf_count>());
}

namespace detail {

template <class Layer, std::size_t Given>
inline constexpr bool leaves_are_the_layers = Given == tree_structure<Layer>::leaf_count;

template <class Layer, std::size_t LeafIndex, class Leaf>
constexpr void check_leaf_value() {
  constexpr std::size_t index = leaf_indices<Layer>[LeafIndex];
  AXISMASK_REQUIRE((value_can_stand_for<Layer, index, Leaf>),
                   (said_in<Layer>("tree_unflatten", value_of_other_type<Layer, leaf_indices<Layer>[LeafIndex]>())),
                   "a leaf requires a value that can stand there; give a number, or an attribute of the same part");
}

template <class Layer, class... Leaves>
inline constexpr bool leaves_fit = []<std::size_t... LeafIndex>(std::index_sequence<LeafIndex...>) {
  return (value_can_stand_for<Layer, leaf_indices<Layer>[LeafIndex], Leaves> && ...);
}(std::index_sequence_for<Leaves...>());

// A layer's attributes, of its leaves.
template <class Layer, class Leaves>
[[nodiscard]] constexpr auto attributes_of_leaves(const Leaves& leaves) {
  const auto attribute = [&]<std::size_t Index>(std::integral_constant<std::size_t, Index>) {
    using type = attribute_type<Layer, Index>;
    if constexpr (is_leaf(attribute_records<Layer>[Index].kind)) {
      return as_attribute<type>(std::get<leaf_index<Layer>(Index)>(leaves));
    } else {
      return type();
    }
  };
  return [&]<std::size_t... Index>(std::index_sequence<Index...>) {
    return std::make_tuple(attribute(std::integral_constant<std::size_t, Index>())...);
  }(std::make_index_sequence<attribute_count<Layer>>());
}

}  // namespace detail

// Puts a layer together, the inverse of tree_flatten: leaves are numbers or attributes, one for each leaf of the
// structure. Too few, too many or one that cannot be that leaf is a compile error.
template <class Layer, class... Leaves>
[[nodiscard]] constexpr auto tree_unflatten(tree_structure<Layer>, const std::tuple<Leaves...>& leaves) {
  AXISMASK_REQUIRE((detail::leaves_are_the_layers<Layer, sizeof...(Leaves)>),
                   detail::said_in<Layer>("tree_unflatten", breach::leaves_of_other_number(detail::leaf_fields<Layer>)),
                   "tree_unflatten requires a value for each leaf of the layer; give one for each");
  if constexpr (detail::leaves_are_the_layers<Layer, sizeof...(Leaves)>) {
    [&]<std::size_t... LeafIndex>(std::index_sequence<LeafIndex...>) {
      (detail::check_leaf_value<Layer, LeafIndex, Leaves>(), ...);
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

}  // namespace axismask
