// Axes: names as types, and lists of them. Boost.Hana does the set algebra.
//
// The room arrays/ holds axes, element types and arrays with named axes.
// What may never enter it: layers and masks.
#pragma once

#include <array>
#include <boost/hana/contains.hpp>
#include <boost/hana/is_subset.hpp>
#include <boost/hana/length.hpp>
#include <boost/hana/set.hpp>
#include <boost/hana/tuple.hpp>
#include <boost/hana/type.hpp>
#include <cstddef>
#include <string_view>

#include "axismask/messages/text.hpp"

namespace axismask {

// One axis, known by its name: `axis<"seq">`.
template <text Name>
struct axis {
  static constexpr std::string_view name = Name.view();
};

// A list of axes in an array's order: `axes<"heads", "seq", "kv_seq">`. Each name may stand in it once.
template <text... Names>
struct axes {
  static constexpr std::size_t rank = sizeof...(Names);
  static constexpr auto list = boost::hana::tuple_t<axis<Names>...>;
  static constexpr std::array<std::string_view, rank> names{Names.view()...};
};

namespace detail {

template <class Axes>
inline constexpr auto axis_set = boost::hana::to_set(Axes::list);

}  // namespace detail

// Is the axis in the list?
template <class Axes, class Axis>
inline constexpr bool has_axis =
    decltype(boost::hana::contains(detail::axis_set<Axes>, boost::hana::type_c<Axis>))::value;

// Does every axis stand in the list once only?
template <class Axes>
inline constexpr bool has_distinct_axes = decltype(boost::hana::length(detail::axis_set<Axes>))::value == Axes::rank;

// Is every axis of `Axes` one of `OfAxes`?
template <class Axes, class OfAxes>
inline constexpr bool has_only_axes =
    decltype(boost::hana::is_subset(detail::axis_set<Axes>, detail::axis_set<OfAxes>))::value;

// The list with axis `From` called `To`. An array of key/value positions carries the sequence axis; brought to the
// logits, that axis is the key/value axis.
template <class Axes, text From, text To>
struct renamed;

namespace detail {

template <text Name, text From, text To>
consteval auto renamed_axis() {
  if constexpr (Name.view() == From.view()) {
    return To;
  } else {
    return Name;
  }
}

}  // namespace detail

template <text... Names, text From, text To>
struct renamed<axes<Names...>, From, To> {
  using type = axes<detail::renamed_axis<Names, From, To>()...>;
};

}  // namespace axismask
