// A layer's struct, read by the compiler (Boost.Hana): its attributes, the operands and readings of its `keep`, and the
// record `layer_type_of<Layer>` of all that.
#pragma once

#include <array>
#include <boost/hana/accessors.hpp>
#include <boost/hana/at.hpp>
#include <boost/hana/core/to.hpp>
#include <boost/hana/first.hpp>
#include <boost/hana/length.hpp>
#include <boost/hana/second.hpp>
#include <boost/hana/string.hpp>
#include <boost/hana/tuple.hpp>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#include "axismask/layer/attributes.hpp"
#include "axismask/layer/layer_type.hpp"
#include "axismask/messages/text.hpp"
#include "axismask/readings/formula.hpp"
#include "axismask/readings/integer.hpp"
#include "axismask/readings/interval.hpp"
#include "axismask/readings/magnitude.hpp"

namespace axismask {

namespace detail {

// The name of a layer's struct. A composed layer brings its own (compose.hpp).
template <class T>
consteval std::string_view unqualified_name() {
  if constexpr (requires { T::composed_name; }) return T::composed_name.view();
  std::string_view signature = __PRETTY_FUNCTION__;
  const std::size_t start = signature.find("T = ") + 4;
  signature = signature.substr(start, signature.find_first_of("<;]", start) - start);
  const std::size_t scope = signature.rfind("::");
  return scope == std::string_view::npos ? signature : signature.substr(scope + 2);
}

template <class Layer>
inline constexpr std::size_t attribute_count = decltype(boost::hana::length(boost::hana::accessors<Layer>()))::value;

template <class Layer, std::size_t Index>
using attribute_type = std::remove_cvref_t<decltype(boost::hana::second(
    boost::hana::at_c<Index>(boost::hana::accessors<Layer>()))(std::declval<const Layer&>()))>;

template <class Layer, std::size_t Index>
[[nodiscard]] constexpr const auto& attribute_of(const Layer& layer) {
  return boost::hana::second(boost::hana::at_c<Index>(boost::hana::accessors<Layer>()))(layer);
}

template <class Layer, std::size_t Index>
[[nodiscard]] consteval std::string_view attribute_name() {
  return boost::hana::to<const char*>(boost::hana::first(boost::hana::at_c<Index>(boost::hana::accessors<Layer>())));
}

template <class Attribute>
[[nodiscard]] consteval std::string_view default_name() {
  if constexpr (requires { Attribute::name; }) {
    return Attribute::name;
  } else {
    return {};
  }
}

template <class Attribute>
inline constexpr bool are_ids = requires { Attribute::are_ids; };

}  // namespace detail

// A layer's attributes, in the order of its struct.
template <class Layer>
inline constexpr auto attribute_records = []<std::size_t... Index>(std::index_sequence<Index...>) {
  return std::array<attribute_record, sizeof...(Index)>{attribute_record{
      detail::attribute_name<Layer, Index>(), kind_of<detail::attribute_type<Layer, Index>>(),
      detail::default_name<detail::attribute_type<Layer, Index>>(), lowest_of<detail::attribute_type<Layer, Index>>(),
      detail::are_ids<detail::attribute_type<Layer, Index>>}...};
}(std::make_index_sequence<detail::attribute_count<Layer>>());

namespace detail {

// The index of the first attribute of a kind, or the number of attributes when there is none.
template <class Layer>
[[nodiscard]] constexpr std::size_t index_of(attribute_kind kind) {
  for (std::size_t index = 0; index < attribute_count<Layer>; ++index) {
    if (attribute_records<Layer>[index].kind == kind) return index;
  }
  return attribute_count<Layer>;
}

template <class Layer>
inline constexpr std::size_t operand_count = [] {
  std::size_t count = 0;
  for (const attribute_record& record : attribute_records<Layer>) count += is_operand(record.kind) ? 1U : 0U;
  return count;
}();

template <class Layer>
inline constexpr std::size_t side_input_count = [] {
  std::size_t count = 0;
  for (const attribute_record& record : attribute_records<Layer>) count += is_side_input(record.kind) ? 1U : 0U;
  return count;
}();

// The name that a layer's attribute has in its type, and that of the attribute itself, as texts.
template <class Layer, std::size_t Index>
[[nodiscard]] consteval auto attribute_text() {
  return to_text([] { return attribute_records<Layer>[Index].default_name; });
}
template <class Layer, std::size_t Index>
[[nodiscard]] consteval auto name_text() {
  return to_text([] { return attribute_records<Layer>[Index].name; });
}

}  // namespace detail

// Which attributes are `keep`'s operands, in its order: the indices of the side inputs, then those of the parameters.
template <class Layer>
inline constexpr auto operand_indices = [] {
  std::array<std::size_t, detail::operand_count<Layer>> indices{};
  std::size_t next = 0;
  for (const bool side_inputs : {true, false}) {
    for (std::size_t index = 0; index < detail::attribute_count<Layer>; ++index) {
      const attribute_kind kind = attribute_records<Layer>[index].kind;
      if (is_operand(kind) && is_side_input(kind) == side_inputs) indices[next++] = index;
    }
  }
  return indices;
}();

namespace detail {

// The type of `keep`'s operand at `Index`, in a reading whose numbers are `Number` and whose booleans are `Boolean`.
template <class Layer, std::size_t Index, class Number, class Boolean>
using operand_type =
    std::conditional_t<is_boolean_operand(attribute_records<Layer>[operand_indices<Layer>[Index]].kind), Boolean,
                       Number>;

// Can `keep` be called with the layer's operands, and what does it give?
template <class Layer, class Number, class Boolean, class Indices = std::make_index_sequence<operand_count<Layer>>>
inline constexpr bool keep_takes_operands = false;
template <class Layer, class Number, class Boolean, std::size_t... Index>
inline constexpr bool keep_takes_operands<Layer, Number, Boolean, std::index_sequence<Index...>> =
    requires { Layer::keep(std::declval<operand_type<Layer, Index, Number, Boolean>>()...); };

}  // namespace detail

// Calls a layer's `keep` with operands of any reading: `make(index, std::type_identity<T>())` gives the operand at
// each index, a T, which is `Number` or, of a mask, `Boolean`.
template <class Layer, class Number, class Boolean, class Make>
[[nodiscard]] constexpr auto read_keep(Make make) {
  return [&]<std::size_t... Index>(std::index_sequence<Index...>) {
    return Layer::keep(make(Index, std::type_identity<detail::operand_type<Layer, Index, Number, Boolean>>())...);
  }(std::make_index_sequence<detail::operand_count<Layer>>());
}

// Does the layer keep the logit at these operands (side inputs, then parameters)? `static_assert(keeps<L>(5, 3, 4))`.
template <class Layer, class... Operands>
[[nodiscard]] constexpr bool keeps(Operands... operands) {
  static_assert(sizeof...(Operands) == detail::operand_count<Layer>,
                "axismask: keeps<layer>() requires one number for each side input and each parameter of the layer");
  if constexpr (sizeof...(Operands) == detail::operand_count<Layer>) {
    const std::array<std::int64_t, sizeof...(Operands)> numbers{static_cast<std::int64_t>(operands)...};
    return read_keep<Layer, integer, bool>(
        [&]<class T>(std::size_t index, std::type_identity<T>) { return static_cast<T>(numbers[index]); });
  } else {
    return true;  // said already
  }
}

namespace detail {

template <class Layer>
inline constexpr composition composition_of = composition::none;  // a composition says otherwise (compose.hpp)
template <class Layer>
inline constexpr std::array<const layer_type*, 0> parts_of_layer{};

}  // namespace detail

// With -flto, g++ makes local what it believes to be used by the program alone, before it asks an archive for a layer's
// object, which has the record's address, too. (It warns of a layer in an unnamed namespace, which no archive has.)
#if defined(__GNUC__) && !defined(__clang__)
#define AXISMASK_STAYS_VISIBLE [[gnu::externally_visible]]
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wattributes"
#else
#define AXISMASK_STAYS_VISIBLE
#endif

// The record of a layer's type. A `layer_type` holds no pointers to anything but constants.
template <class Layer>
AXISMASK_STAYS_VISIBLE inline constexpr layer_type layer_type_of{
    detail::unqualified_name<Layer>(),
    attribute_records<Layer>,
    operand_indices<Layer>,
    [](std::span<const std::int64_t> operands) {
      return read_keep<Layer, integer, bool>(
          [&]<class T>(std::size_t index, std::type_identity<T>) { return static_cast<T>(operands[index]); });
    },
    [](std::span<const interval> operands) {
      return read_keep<Layer, interval, verdict>([&]<class T>(std::size_t index, std::type_identity<T>) {
        if constexpr (std::is_same_v<T, verdict>) {
          return operands[index] != interval(0);
        } else {
          return operands[index];
        }
      });
    },
    [](std::span<const std::int64_t> magnitudes) {
      return magnitude::condition(
                 read_keep<Layer, magnitude, magnitude::condition>(
                     [&]<class T>(std::size_t index, std::type_identity<T>) { return T(magnitudes[index]); }))
          .largest();
    },
    [](std::span<const std::string> operands) {
      return read_keep<Layer, formula, formula>(
                 [&](std::size_t index, std::type_identity<formula>) { return formula(operands[index]); })
          .text();
    },
    detail::composition_of<Layer>,
    detail::parts_of_layer<Layer>,
};
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic pop
#endif

}  // namespace axismask
