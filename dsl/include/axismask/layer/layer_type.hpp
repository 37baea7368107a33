// What there is to know about a kind of layer at run time: its name, its attributes and its readings of `keep`, all
// taken from the struct by reflection (Boost.Hana). The runtime knows layers by these records alone.
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
#include "axismask/readings/formula.hpp"
#include "axismask/readings/integer.hpp"
#include "axismask/readings/interval.hpp"
#include "axismask/readings/magnitude.hpp"

namespace axismask {

struct attribute_record {
  std::string_view name;
  attribute_kind kind;
  std::string_view default_name;  // for side inputs and axes: the name in the layer's type
  std::int64_t lowest = 1;        // for parameters: the least that one may be
  bool are_ids = false;           // for side inputs along queries or keys: they tell no positions
};

// At most this many operands: side inputs and parameters together.
inline constexpr std::size_t max_operands = 16;

// How a layer's mask is made: by its own `keep`, or of other masks.
enum class composition : std::uint8_t { none, all, any, inverse };

// The keys of specs that make a mask of masks, in the order of the enumeration; that of a mask of its own is "type".
inline constexpr std::array<std::string_view, 4> composition_keys{"type", "all", "any", "not"};

[[nodiscard]] constexpr std::string_view key_of(composition how) {
  return composition_keys[static_cast<std::size_t>(how)];
}

struct layer_type {
  // The struct's own, without namespace and template arguments; of a composition its parts', "all(A, B)".
  std::string_view name;
  std::span<const attribute_record> attributes;  // in the struct's order
  std::span<const std::size_t> operands;         // `keep`'s: indices of attributes, side inputs first, then parameters

  // `keep` read with whole numbers; a boolean operand is 0 or 1.
  bool (*keep)(std::span<const std::int64_t> operands);
  // `keep` read with intervals: what it keeps of all the logits whose operands lie within these.
  verdict (*keep_within)(std::span<const interval> operands);
  // The largest magnitude of any number that `keep` computes from operands of these magnitudes.
  std::int64_t (*largest)(std::span<const std::int64_t> magnitudes);
  // `keep` read as text.
  std::string (*formula)(std::span<const std::string> operands);

  // Of which masks it is made, if of any. A composition has the masked value, and then its parts' other attributes.
  composition how = composition::none;
  std::span<const layer_type* const> parts = {};
};

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

template <class Layer>
inline constexpr auto attribute_records = []<std::size_t... Index>(std::index_sequence<Index...>) {
  return std::array<attribute_record, sizeof...(Index)>{
      attribute_record{attribute_name<Layer, Index>(), kind_of<attribute_type<Layer, Index>>(),
                       default_name<attribute_type<Layer, Index>>(), lowest_of<attribute_type<Layer, Index>>(),
                       requires {attribute_type<Layer, Index>::are_ids;
}
}
...
};
}
(std::make_index_sequence<attribute_count<Layer>>());

// The first attribute that plays a part, or the number of attributes when none does.
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
  for (const attribute_record& record : attribute_records<Layer>) {
    if (is_side_input(record.kind) || record.kind == attribute_kind::parameter) ++count;
  }
  return count;
}();

template <class Layer>
inline constexpr auto operand_indices = [] {
  std::array<std::size_t, operand_count<Layer>> indices{};
  std::size_t next = 0;
  for (const bool side_inputs : {true, false}) {
    for (std::size_t index = 0; index < attribute_count<Layer>; ++index) {
      const attribute_kind kind = attribute_records<Layer>[index].kind;
      if (side_inputs ? is_side_input(kind) : kind == attribute_kind::parameter) indices[next++] = index;
    }
  }
  return indices;
}();

// The type of `keep`'s operand at `Place`, in a reading whose numbers are `Number` and whose booleans are `Boolean`.
template <class Layer, std::size_t Place, class Number, class Boolean>
using operand_type =
    std::conditional_t<attribute_records<Layer>[operand_indices<Layer>[Place]].kind == attribute_kind::mask, Boolean,
                       Number>;

// Can `keep` be called with the layer's operands, and what does it give?
template <class Layer, class Number, class Boolean, class Places = std::make_index_sequence<operand_count<Layer>>>
inline constexpr bool keep_takes_operands = false;
template <class Layer, class Number, class Boolean, std::size_t... Place>
inline constexpr bool keep_takes_operands<Layer, Number, Boolean, std::index_sequence<Place...>> =
    requires { Layer::keep(std::declval<operand_type<Layer, Place, Number, Boolean>>()...); };

// `keep` in any reading: `make(place, type)` gives the operand at each place.
template <class Layer, class Number, class Boolean, class Make>
[[nodiscard]] constexpr auto read_keep(Make make) {
  return [&]<std::size_t... Place>(std::index_sequence<Place...>) {
    return Layer::keep(make(Place, std::type_identity<operand_type<Layer, Place, Number, Boolean>>())...);
  }(std::make_index_sequence<operand_count<Layer>>());
}

}  // namespace detail

// Does the layer keep the logit at these operands (side inputs, then parameters)? `static_assert(keeps<L>(5, 3, 4))`.
template <class Layer, class... Operands>
[[nodiscard]] constexpr bool keeps(Operands... operands) {
  static_assert(sizeof...(Operands) == detail::operand_count<Layer>,
                "axismask: keeps<layer>() requires one number for each side input and each parameter of the layer");
  if constexpr (sizeof...(Operands) == detail::operand_count<Layer>) {
    const std::array<std::int64_t, sizeof...(Operands)> numbers{static_cast<std::int64_t>(operands)...};
    return detail::read_keep<Layer, integer, bool>(
        [&]<class T>(std::size_t place, std::type_identity<T>) { return static_cast<T>(numbers[place]); });
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

// The record of a layer's type. A `layer_type` holds no pointers to anything but constants.
template <class Layer>
inline constexpr layer_type layer_type_of{
    detail::unqualified_name<Layer>(),
    detail::attribute_records<Layer>,
    detail::operand_indices<Layer>,
    [](std::span<const std::int64_t> operands) {
      return detail::read_keep<Layer, integer, bool>(
          [&]<class T>(std::size_t place, std::type_identity<T>) { return static_cast<T>(operands[place]); });
    },
    [](std::span<const interval> operands) {
      return detail::read_keep<Layer, interval, verdict>([&]<class T>(std::size_t place, std::type_identity<T>) {
        if constexpr (std::is_same_v<T, verdict>) {
          return operands[place] != interval(0);
        } else {
          return operands[place];
        }
      });
    },
    [](std::span<const std::int64_t> magnitudes) {
      return magnitude::condition(
                 detail::read_keep<Layer, magnitude, magnitude::condition>(
                     [&]<class T>(std::size_t place, std::type_identity<T>) { return T(magnitudes[place]); }))
          .largest();
    },
    [](std::span<const std::string> operands) {
      return detail::read_keep<Layer, formula, formula>(
                 [&](std::size_t place, std::type_identity<formula>) { return formula(operands[place]); })
          .text();
    },
    detail::composition_of<Layer>,
    detail::parts_of_layer<Layer>,
};

}  // namespace axismask
