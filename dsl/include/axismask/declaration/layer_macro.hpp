// AXISMASK_LAYER, the macro that makes a struct a layer.
//
// The room declaration/ holds how layers are declared: the macro, compositions, the list of a config header.
// What may never enter it: edits of layers (structure/).
#pragma once

#include <boost/hana/pair.hpp>
#include <boost/hana/string.hpp>
#include <boost/hana/tuple.hpp>
#include <boost/preprocessor/cat.hpp>
#include <boost/preprocessor/punctuation/comma_if.hpp>
#include <boost/preprocessor/seq/for_each.hpp>
#include <boost/preprocessor/seq/for_each_i.hpp>
#include <boost/preprocessor/stringize.hpp>
#include <boost/preprocessor/tuple/elem.hpp>
#include <boost/preprocessor/tuple/size.hpp>
#include <boost/preprocessor/variadic/to_seq.hpp>

#include "axismask/call/call_layer.hpp"
#include "axismask/layer/attributes.hpp"

// AXISMASK_LAYER(Name, attributes...) inside a struct makes it a layer. An attribute is
//   (type, name)             masked_value, count, counts_over<...>: a value that each object of the layer is given
//   (part, name, "default")  query_positions, kv_positions, integers, mask, query_axis, kv_axis: the name of a side
//   input or axis
// The struct adds its `keep`: a static constexpr function template over the side inputs and then the values, each in
// the order of the attributes, that is true where a logit is kept. A whole layer: causal_sliding_window.hpp.
//
// The calls, where the arrays are named views or arrays and a side input is `input<"token_positions">(positions)`:
//   layer(logits, inputs...)                a new array with the result
//   layer.apply(logits, out, inputs...)     the result in `out`
//   layer.apply_in_place(logits, inputs...)
// Options come first, as execution policies do: layer.apply_in_place(call_options{.threads = 4}, logits, inputs...)
// Layers compose: `a & b`, `a | b`, `!a` (compose.hpp). Rows of which nothing is kept: empty_rows.hpp.
//
// The members are declared here and not by BOOST_HANA_DEFINE_STRUCT, which cannot give one a default: then
// `{.masked_out_value = v, .sliding_window_size = w}` would warn of the four that are not named.
#define AXISMASK_LAYER(Name, ...)                                                                   \
  BOOST_PP_SEQ_FOR_EACH(AXISMASK_MEMBER, _, BOOST_PP_VARIADIC_TO_SEQ(__VA_ARGS__))                  \
  struct hana_accessors_impl {                                                                      \
    static constexpr auto apply() {                                                                 \
      return ::boost::hana::make_tuple(                                                             \
          BOOST_PP_SEQ_FOR_EACH_I(AXISMASK_ACCESSOR, Name, BOOST_PP_VARIADIC_TO_SEQ(__VA_ARGS__))); \
    }                                                                                               \
  };                                                                                                \
  AXISMASK_LAYER_CALLS(Name)

#define AXISMASK_LAYER_CALLS(Name)                                              \
  AXISMASK_CALLS(::axismask::empty_row_rule::masked, *this)                     \
  template <class Mask>                                                         \
  [[nodiscard]] friend constexpr auto operator&(const Name& a, const Mask& b) { \
    return ::axismask::detail::compose_all(a, b);                               \
  }                                                                             \
  template <class Mask>                                                         \
  [[nodiscard]] friend constexpr auto operator|(const Name& a, const Mask& b) { \
    return ::axismask::detail::compose_any(a, b);                               \
  }                                                                             \
  template <class Self = Name>                                                  \
  [[nodiscard]] constexpr auto operator!() const {                              \
    return ::axismask::detail::compose_not(static_cast<const Self&>(*this));    \
  }

// The three calls of an object. `First` is the options or the logits; `layer` is called with the rule `rows`.
#define AXISMASK_CALLS(rows, layer)                                    \
  template <class First, class... Rest>                                \
  [[nodiscard]] auto operator()(First&& first, Rest&&... rest) const { \
    return ::axismask::detail::call<rows>(layer, first, rest...);      \
  }                                                                    \
  template <class First, class... Rest>                                \
  void apply(First&& first, Rest&&... rest) const {                    \
    ::axismask::detail::call_into<rows>(layer, first, rest...);        \
  }                                                                    \
  template <class First, class... Rest>                                \
  void apply_in_place(First&& first, Rest&&... rest) const {           \
    ::axismask::detail::call_in_place<rows>(layer, first, rest...);    \
  }

#define AXISMASK_MEMBER(_, __, attribute) BOOST_PP_CAT(AXISMASK_MEMBER_, BOOST_PP_TUPLE_SIZE(attribute)) attribute
#define AXISMASK_MEMBER_2(type, member) type member;
#define AXISMASK_MEMBER_3(kind, member, name) kind<name> member{};
#define AXISMASK_ACCESSOR(_, Name, index, attribute)                           \
  BOOST_PP_COMMA_IF(index)                                                     \
  ::boost::hana::make_pair(                                                    \
      BOOST_HANA_STRING(BOOST_PP_STRINGIZE(BOOST_PP_TUPLE_ELEM(1, attribute))), \
                        [](const Name& layer) -> const auto& { return layer.BOOST_PP_TUPLE_ELEM(1, attribute); })

namespace axismask {

namespace detail {

// Defined in composed.hpp, which axismask/layer.hpp includes beside this file.
template <class A, class B>
[[nodiscard]] constexpr auto compose_all(const A& a, const B& b);
template <class A, class B>
[[nodiscard]] constexpr auto compose_any(const A& a, const B& b);
template <class A>
[[nodiscard]] constexpr auto compose_not(const A& a);

}  // namespace detail

}  // namespace axismask
