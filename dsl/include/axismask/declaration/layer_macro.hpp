// AXISMASK_LAYER, the macro that makes a struct a layer.
//
// The room declaration/ holds how layers are declared: the macro, compositions, the list of a config header.
// What may never enter it: edits of layers (structure/).
#pragma once

#include <boost/hana/pair.hpp>
#include <boost/hana/string.hpp>
#include <boost/hana/tuple.hpp>
#include <boost/preprocessor/arithmetic/dec.hpp>
#include <boost/preprocessor/cat.hpp>
#include <boost/preprocessor/comparison/equal.hpp>
#include <boost/preprocessor/control/if.hpp>
#include <boost/preprocessor/punctuation/comma_if.hpp>
#include <boost/preprocessor/seq/enum.hpp>
#include <boost/preprocessor/seq/for_each.hpp>
#include <boost/preprocessor/seq/for_each_i.hpp>
#include <boost/preprocessor/seq/pop_back.hpp>
#include <boost/preprocessor/stringize.hpp>
#include <boost/preprocessor/tuple/elem.hpp>
#include <boost/preprocessor/tuple/size.hpp>
#include <boost/preprocessor/tuple/to_seq.hpp>
#include <boost/preprocessor/variadic/size.hpp>
#include <boost/preprocessor/variadic/to_seq.hpp>
#include <cstdint>

#include "axismask/call/call_layer.hpp"
#include "axismask/declaration/linking.hpp"
#include "axismask/layer/attributes.hpp"

// AXISMASK_LAYER(Name, attributes...) inside a struct makes it a layer. An attribute is
//   (type, name)             masked_value, count, counts_over<...>: a value that each object of the layer is given
//   (part, name, "default")  query_positions, kv_positions, integers, mask, query_axis, kv_axis: the name of a side
//   input or axis
// A type may have commas where it is spelled `counts_over<...>`; with a namespace before it, give it a name by `using`.
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
#define AXISMASK_LAYER(Name, ...)                                                                     \
  BOOST_PP_SEQ_FOR_EACH(AXISMASK_MEMBER, _, BOOST_PP_VARIADIC_TO_SEQ(__VA_ARGS__))                    \
  struct hana_accessors_impl {                                                                        \
    static constexpr auto apply() {                                                                   \
      return ::boost::hana::make_tuple(                                                               \
          BOOST_PP_SEQ_FOR_EACH_I(AXISMASK_ACCESSOR, Name, BOOST_PP_VARIADIC_TO_SEQ(__VA_ARGS__)));   \
    }                                                                                                 \
  };                                                                                                  \
  static void axismask_ask_for_kernels() { AXISMASK_ASK_LINKER_FOR(AXISMASK_SYMBOL_OF_LAYER #Name); } \
  template <::std::uint32_t Composition>                                                              \
  static void axismask_ask_as_part() {                                                                \
    AXISMASK_ASK_LINKER_FOR_NUMBERED(AXISMASK_SYMBOL_OF_PART #Name, Composition);                     \
  }                                                                                                   \
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

#define AXISMASK_MEMBER(_, __, attribute) BOOST_PP_CAT(AXISMASK_MEMBER_, AXISMASK_IS_PART(attribute))(attribute)
#define AXISMASK_MEMBER_0(attribute) \
  BOOST_PP_SEQ_ENUM(BOOST_PP_SEQ_POP_BACK(BOOST_PP_TUPLE_TO_SEQ(attribute))) AXISMASK_MEMBER_NAME(attribute);
#define AXISMASK_MEMBER_1(attribute) \
  BOOST_PP_TUPLE_ELEM(0, attribute)<BOOST_PP_TUPLE_ELEM(2, attribute)> AXISMASK_MEMBER_NAME(attribute){};
#define AXISMASK_MEMBER_NAME(attribute)                                                                          \
  BOOST_PP_TUPLE_ELEM(BOOST_PP_IF(AXISMASK_IS_PART(attribute), 1, BOOST_PP_DEC(BOOST_PP_TUPLE_SIZE(attribute))), \
                      attribute)
// (part, name, "default"), and not (counts_over<axes<"batch", "heads">>, name), which has as many pieces.
#define AXISMASK_IS_PART(attribute) \
  BOOST_PP_CAT(AXISMASK_IS_PART_, BOOST_PP_EQUAL(BOOST_PP_TUPLE_SIZE(attribute), 3))(BOOST_PP_TUPLE_ELEM(0, attribute))
#define AXISMASK_IS_PART_0(first) 0
#define AXISMASK_IS_PART_1(first) BOOST_PP_EQUAL(BOOST_PP_VARIADIC_SIZE(BOOST_PP_CAT(AXISMASK_COMMA_IN_, first)), 1)
#define AXISMASK_COMMA_IN_counts_over ,
#define AXISMASK_ACCESSOR(_, Name, index, attribute)                          \
  BOOST_PP_COMMA_IF(index)                                                    \
  ::boost::hana::make_pair(                                                   \
      BOOST_HANA_STRING(BOOST_PP_STRINGIZE(AXISMASK_MEMBER_NAME(attribute))), \
                        [](const Name& layer) -> const auto& { return layer.AXISMASK_MEMBER_NAME(attribute); })

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
