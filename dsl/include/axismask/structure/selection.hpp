// One leaf of a layer, to read or to replace: `select(layer).at<"sliding_window_size">().set(1024)`.
#pragma once

#include <cstddef>
#include <cstdint>

#include "axismask/layer/attributes.hpp"
#include "axismask/layer/reflection.hpp"
#include "axismask/messages/require.hpp"
#include "axismask/messages/text.hpp"
#include "axismask/structure/fields.hpp"
#include "axismask/structure/rebuild.hpp"
#include "axismask/structure/values.hpp"
#include "axismask/structure/variable.hpp"

namespace axismask {

namespace detail {

// A leaf as its user reads it: a parameter that is a single number as that number, all others as the attribute.
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

// One leaf of a layer: reads it, or gives a copy of the layer with another value.
template <declared_layer Layer, std::size_t Index>
class leaf_selection {
 public:
  constexpr explicit leaf_selection(const Layer& layer) : layer_(layer) {}

  // The leaf's value; a parameter that is a single number is an int64.
  [[nodiscard]] constexpr auto get() const { return detail::plain(detail::attribute_of<Layer, Index>(layer_)); }

  // Gives the layer with this value. The layer's type changes with the value's where it has to: from `count` to
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

  // Gives the layer with the value `function(get())`.
  template <class Function>
  [[nodiscard]] constexpr auto apply(Function function) const {
    return set(function(get()));
  }

 private:
  Layer layer_;
};

// A layer, of which a leaf can be selected.
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

// Selects a layer, whose leaves are then read or replaced by name. A wrong name is a compile error.
//   const auto wider = select(layer).at<"sliding_window_size">().set(1024);
//   const auto twice = select(layer).at<"sliding_window_size">().apply([](auto size) { return 2 * size; });
template <declared_layer Layer>
[[nodiscard]] constexpr selection<Layer> select(const Layer& layer) {
  return selection<Layer>(layer);
}

}  // namespace axismask
