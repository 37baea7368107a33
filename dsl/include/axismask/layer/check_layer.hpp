// Is a struct a layer? The checks that the compiler makes of one, before anything else is made of it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <type_traits>
#include <utility>

#include "axismask/layer/attributes.hpp"
#include "axismask/layer/layer_type.hpp"
#include "axismask/layer/reflection.hpp"
#include "axismask/messages/require.hpp"
#include "axismask/messages/text.hpp"
#include "axismask/readings/integer.hpp"

namespace axismask {

namespace detail {

// Is every member of the struct of an attribute's type? The checks below can only be made then.
template <class Layer>
inline constexpr bool has_only_attributes = []<std::size_t... Index>(std::index_sequence<Index...>) {
  return (attribute<attribute_type<Layer, Index>> && ...);
}(std::make_index_sequence<attribute_count<Layer>>());

template <class Layer>
[[nodiscard]] consteval std::size_t first_foreign_attribute() {
  return []<std::size_t... Index>(std::index_sequence<Index...>) {
    std::size_t first = 0;
    (void)((attribute<attribute_type<Layer, Index>> && ++first) && ...);
    return first;
  }(std::make_index_sequence<attribute_count<Layer>>());
}

template <class Layer>
[[nodiscard]] constexpr std::string_view foreign_attribute_name() {
  return attribute_name<Layer, smaller(first_foreign_attribute<Layer>(), attribute_count<Layer> - 1)>();
}

// A constant parameter below 1: which attribute, or the number of attributes.
template <class Attribute>
inline constexpr bool is_constant_below_1 = false;
template <std::int64_t Value>
inline constexpr bool is_constant_below_1<constant<Value>> = Value < 1;

template <class Layer>
[[nodiscard]] consteval std::size_t first_constant_below_1() {
  return []<std::size_t... Index>(std::index_sequence<Index...>) {
    std::size_t first = 0;
    (void)((!is_constant_below_1<attribute_type<Layer, Index>> && ++first) && ...);
    return first;
  }(std::make_index_sequence<attribute_count<Layer>>());
}

template <class Layer>
[[nodiscard]] constexpr std::string_view low_constant_name() {
  return attribute_name<Layer, smaller(first_constant_below_1<Layer>(), attribute_count<Layer> - 1)>();
}

template <class Layer>
inline constexpr bool has_positive_constants = first_constant_below_1<Layer>() == attribute_count<Layer>;

template <class Layer>
inline constexpr bool has_room = attribute_count<Layer> <= max_attributes && operand_count<Layer> <= max_operands;

// A spec uses these for the layer itself.
template <class Layer>
inline constexpr bool has_free_names = [] {
  for (const attribute_record& record : attribute_records<Layer>) {
    if (record.name == "name" || record.name == "type" || record.name == "empty_rows" || record.name == "attention") {
      return false;
    }
  }
  return true;
}();

template <class Layer>
inline constexpr bool has_masked_value = index_of<Layer>(attribute_kind::masked_value) < attribute_count<Layer>;

// Positions lie along the query axis, and those of keys stand for the key/value axis too: a layer with positions needs
// these axes.
template <class Layer>
inline constexpr bool has_axes_of_its_positions = [] {
  const auto has = [](attribute_kind kind) { return index_of<Layer>(kind) < attribute_count<Layer>; };
  return (!has(attribute_kind::query_positions) || has(attribute_kind::query_axis)) &&
         (!has(attribute_kind::kv_positions) || (has(attribute_kind::query_axis) && has(attribute_kind::kv_axis)));
}();

// Masks that are composed lie on the same axes.
template <class Layer>
inline constexpr bool has_one_pair_of_axes = [] {
  for (const attribute_kind kind : {attribute_kind::query_axis, attribute_kind::kv_axis}) {
    const std::size_t first = index_of<Layer>(kind);
    for (const attribute_record& record : attribute_records<Layer>) {
      if (record.kind == kind && record.default_name != attribute_records<Layer>[first].default_name) return false;
    }
  }
  return true;
}();

template <class Layer>
[[nodiscard]] constexpr phrase axis_names() {
  phrase names;
  for (const attribute_record& record : attribute_records<Layer>) {
    if (!is_axis_name(record.kind)) continue;
    if (names.size() > 0) names += ", ";
    names += "\"";
    names += record.default_name;
    names += "\"";
  }
  return names;
}

template <class Layer>
[[nodiscard]] constexpr phrase operand_names() {
  phrase list;
  for (const std::size_t index : operand_indices<Layer>) {
    if (list.size() > 0) list += ", ";
    list += attribute_records<Layer>[index].name;
  }
  return list;
}

template <class Layer>
[[nodiscard]] constexpr phrase name_of() {
  return unqualified_name<Layer>();
}

template <class Layer>
inline constexpr bool keep_gives_a_boolean = [] {
  if constexpr (keep_takes_operands<Layer, integer, bool>) {
    return std::is_same_v<decltype(read_keep<Layer, integer, bool>(
                              []<class T>(std::size_t, std::type_identity<T>) { return T(0); })),
                          bool>;
  } else {
    return true;  // said already
  }
}();

// Does the struct pass every check of check_layer? Calls and edits check nothing further of one that does not.
template <class Layer>
inline constexpr bool is_layer = [] {
  if constexpr (has_only_attributes<Layer>) {
    return has_room<Layer> && has_free_names<Layer> && has_masked_value<Layer> && has_axes_of_its_positions<Layer> &&
           has_one_pair_of_axes<Layer> && has_positive_constants<Layer> && keep_takes_operands<Layer, integer, bool> &&
           keep_gives_a_boolean<Layer>;
  } else {
    return false;
  }
}();

}  // namespace detail

// Checks that the struct is a layer: each breach is a compile error that names it. Every use of a layer begins here.
template <class Layer>
constexpr void check_layer() {
  if constexpr (requires { Layer::check_parts(); }) Layer::check_parts();
  AXISMASK_REQUIRE(
      detail::has_only_attributes<Layer>,
      detail::name_of<Layer>() + " requires attributes that say their part; \"" +
          detail::foreign_attribute_name<Layer>() +
          "\" is of another type: use masked_value, count, whole, constant, counts_over, query_positions, "
          "kv_positions, integers, mask, query_axis or kv_axis",
      "a layer requires attributes that say their part; use masked_value, count, whole, constant, counts_over, "
      "query_positions, kv_positions, integers, mask, query_axis or kv_axis");
  if constexpr (detail::has_only_attributes<Layer>) {
    AXISMASK_REQUIRE(detail::has_room<Layer>,
                     detail::name_of<Layer>() +
                         " requires at most 32 attributes, 16 of them side inputs and numbers; "
                         "take some out",
                     "a layer requires at most 32 attributes, 16 of them side inputs and numbers; take some out");
    AXISMASK_REQUIRE(
        detail::has_free_names<Layer>,
        detail::name_of<Layer>() +
            " requires other names than \"name\", \"type\", \"empty_rows\" and \"attention\" for its attributes, "
            "which specs use for the layer itself; rename it",
        "a layer requires other names than \"name\", \"type\", \"empty_rows\" and \"attention\" for its attributes, "
        "which "
        "specs use for the layer itself; rename it");
    AXISMASK_REQUIRE(
        detail::has_masked_value<Layer>,
        detail::name_of<Layer>() + " requires a masked value; add (axismask::masked_value, masked_out_value)",
        "a layer requires a masked value; add (axismask::masked_value, masked_out_value)");
    AXISMASK_REQUIRE(detail::has_axes_of_its_positions<Layer>,
                     detail::name_of<Layer>() +
                         " requires the axes of its positions; add (axismask::query_axis<\"seq\">, seq_axis) and "
                         "(axismask::kv_axis<\"kv_seq\">, kv_seq_axis)",
                     "a layer with positions requires their axes; add (axismask::query_axis<\"seq\">, seq_axis) and "
                     "(axismask::kv_axis<\"kv_seq\">, kv_seq_axis)");
    AXISMASK_REQUIRE(detail::has_one_pair_of_axes<Layer>,
                     detail::name_of<Layer>() +
                         " requires one query axis and one key axis for all its masks; they have " +
                         detail::axis_names<Layer>() + ": give them the same names",
                     "masks that are composed require one query axis and one key axis; give them the same names");
    AXISMASK_REQUIRE(detail::has_positive_constants<Layer>,
                     detail::name_of<Layer>() + " requires " + detail::low_constant_name<Layer>() +
                         " to be at least 1; a window of 1 sees the token itself only, and none sees nothing",
                     "a layer requires its constants to be at least 1; a window of 1 sees the token itself only, and "
                     "none sees nothing");
    AXISMASK_REQUIRE((detail::keep_takes_operands<Layer, integer, bool>),
                     detail::name_of<Layer>() + "::keep requires " + decimal(detail::operand_count<Layer>) +
                         " parameters, one for each of " + detail::operand_names<Layer>() +
                         "; declare it as a static constexpr function template that takes these in this order",
                     "keep requires one parameter for each side input and then each parameter of the layer; declare it "
                     "as a static constexpr function template that takes these in the order of the attributes");
    AXISMASK_REQUIRE(detail::keep_gives_a_boolean<Layer>,
                     detail::name_of<Layer>() +
                         "::keep requires a boolean result; return a comparison, or comparisons joined by && and ||",
                     "keep requires a boolean result; return a comparison, or comparisons joined by && and ||");
  }
}

}  // namespace axismask
