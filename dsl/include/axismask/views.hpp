// What users of named axes do with arrays besides calling layers on them: give and take names, rename, reorder, slice,
// print. Each gives a view of the same memory and copies nothing; a wrong name is a compile error.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <iosfwd>
#include <string>
#include <utility>

#include "axismask/arrays/axis.hpp"
#include "axismask/arrays/axis_numbers.hpp"
#include "axismask/arrays/index_walk.hpp"
#include "axismask/arrays/named_view.hpp"
#include "axismask/messages/error.hpp"
#include "axismask/messages/require.hpp"

namespace axismask {

// A view of an array whose axes have no names: they are known by their order. Strides count elements; without them the
// array is in C order.
template <class T, std::size_t Rank>
struct positional_view {
  T* data;
  std::array<std::int64_t, Rank> sizes;
  std::array<std::int64_t, Rank> strides;

  constexpr positional_view(T* memory, const axis_sizes<Rank>& its_sizes, const axis_strides<Rank>& its_strides = {})
      : data(memory), sizes(its_sizes.values()), strides(its_strides.of(sizes)) {}
};

namespace detail {

template <class Axes, text Name>
inline constexpr std::size_t axis_index = [] {
  std::size_t index = 0;
  while (index < Axes::rank && Axes::names[index] != Name.view()) ++index;
  return index;
}();

template <text Function, text Name, class Axes>
constexpr void check_has_axis() {
  AXISMASK_REQUIRE((has_axis<Axes, axis<Name>>),
                   phrase(Function.view()) + "(array): it has no axis \"" + Name.view() + "\"; it has " +
                       quoted_list(Axes::names) + did_you_mean(Name.view(), Axes::names) + "; use one of its names",
                   "the function requires an axis that the array has; use one of its names");
}

// The same axes, each once, in another order.
template <text Function, class Wanted, class Axes>
constexpr void check_same_axes() {
  AXISMASK_REQUIRE((has_distinct_axes<Wanted> && has_only_axes<Wanted, Axes> && has_only_axes<Axes, Wanted>),
                   phrase(Function.view()) + "(array): the axes asked for are " + quoted_list(Wanted::names) +
                       ", and the array has " + quoted_list(Axes::names) + "; name each of its axes once",
                   "the function requires each axis of the array, once; name them all");
}

template <class Axes, text... Names>
[[nodiscard]] constexpr std::array<std::int64_t, sizeof...(Names)> in_order(
    const std::array<std::int64_t, Axes::rank>& values) {
  return {values[axis_index<Axes, Names>]...};
}

// The list of axes without the one called `Name`.
template <text Name, class Done, class Rest>
struct without_axis;
template <text Name, text... Done>
struct without_axis<Name, axes<Done...>, axes<>> {
  using type = axes<Done...>;
};
template <text Name, text... Done, text First, text... Rest>
struct without_axis<Name, axes<Done...>, axes<First, Rest...>>
    : std::conditional_t<First.view() == Name.view(), without_axis<Name, axes<Done...>, axes<Rest...>>,
                         without_axis<Name, axes<Done..., First>, axes<Rest...>>> {};

}  // namespace detail

// Gives each axis of an array a name, in the axes' order: `tag<"heads", "seq", "kv_seq">(array)`.
template <text... Names, class T>
[[nodiscard]] constexpr auto tag(const positional_view<T, sizeof...(Names)>& array) {
  return named_view<T, axes<Names...>>(array.data, array.sizes, array.strides);
}

// Takes the names away: the axes of the result are those named, in that order. Each axis of the array is named once.
template <text... Names, class T, class Axes>
[[nodiscard]] constexpr auto untag(const named_view<T, Axes>& array) {
  detail::check_same_axes<"untag", axes<Names...>, Axes>();
  return positional_view<T, sizeof...(Names)>{array.data(), detail::in_order<Axes, Names...>(array.sizes()),
                                              detail::in_order<Axes, Names...>(array.strides())};
}

// Gives one axis another name: `rename<"seq", "kv_seq">(positions)`.
template <text From, text To, class T, class Axes>
[[nodiscard]] constexpr auto rename(const named_view<T, Axes>& array) {
  detail::check_has_axis<"rename", From, Axes>();
  return named_view<T, typename renamed<Axes, From, To>::type>(array.data(), array.sizes(), array.strides());
}

// Puts the axes in the order of the names, each of them once: `order_as<"seq", "heads">(array)`.
template <text... Names, class T, class Axes>
[[nodiscard]] constexpr auto order_as(const named_view<T, Axes>& array) {
  detail::check_same_axes<"order_as", axes<Names...>, Axes>();
  return named_view<T, axes<Names...>>(array.data(), detail::in_order<Axes, Names...>(array.sizes()),
                                       detail::in_order<Axes, Names...>(array.strides()));
}

// Takes `size` indices of one axis from `first` on: `slice<"seq">(array, first, size)`. Throws error[slice-range] when
// the axis does not have them.
template <text Name, class T, class Axes>
[[nodiscard]] constexpr named_view<T, Axes> slice(const named_view<T, Axes>& array, std::int64_t first,
                                                  std::int64_t size) {
  detail::check_has_axis<"slice", Name, Axes>();
  constexpr std::size_t axis = detail::axis_index<Axes, Name>;
  auto sizes = array.sizes();
  if (first < 0 || size < 0 || first > sizes[axis] - size) {
    throw error("slice-range", "slice",
                std::to_string(size) + " from " + std::to_string(first) + " is not within the axis \"" +
                    std::string(Name.view()) + "\" of size " + std::to_string(sizes[axis]),
                "take a part that the axis has");
  }
  sizes[axis] = size;
  return {array.data() + first * array.strides()[axis], sizes, array.strides()};
}

// Takes one index of an axis, which the result then lacks: `slice<"batch">(array, 3)`. Throws error[slice-range] when
// the axis has no such index.
template <text Name, class T, class Axes>
[[nodiscard]] constexpr auto slice(const named_view<T, Axes>& array, std::int64_t index) {
  const named_view<T, Axes> picked = slice<Name>(array, index, 1);
  using rest = typename detail::without_axis<Name, axes<>, Axes>::type;
  return [&]<text... Names>(axes<Names...>) {
    return named_view<T, rest>(picked.data(), detail::in_order<Axes, Names...>(picked.sizes()),
                               detail::in_order<Axes, Names...>(picked.strides()));
  }(rest());
}

// Writes the axes with their sizes: `{heads: 4, seq: 2048, kv_seq: 2048}`.
template <class T, class Axes>
[[nodiscard]] std::string named_shape(const named_view<T, Axes>& array) {
  std::string text = "{";
  for (std::size_t axis = 0; axis < Axes::rank; ++axis) {
    if (axis > 0) text += ", ";
    text += std::string(Axes::names[axis]) + ": " + std::to_string(array.sizes()[axis]);
  }
  return text + "}";
}

// Prints the dtype and the named shape, and the elements of an array that has few: the last axis along a line.
// The stream's traits are a parameter so that <ostream>, which costs more to compile than all of ours, is needed only
// where something is printed.
template <class Traits, class T, class Axes>
std::basic_ostream<char, Traits>& operator<<(std::basic_ostream<char, Traits>& out, const named_view<T, Axes>& array) {
  constexpr std::int64_t few = 400;
  using element_type = std::remove_const_t<T>;
  out << info(element_dtype<element_type>::value).name << named_shape(array);
  std::int64_t count = 1;
  for (const std::int64_t size : array.sizes()) count *= size;
  if constexpr (std::is_arithmetic_v<element_type>) {
    if (count > few) return out;
    for (std::int64_t at = 0; at < count; ++at) {
      std::int64_t offset = 0;
      split_index(
          at, Axes::rank, [&](std::size_t axis) { return array.sizes()[axis]; },
          [&](std::size_t axis, std::int64_t index) { offset += index * array.strides()[axis]; });
      const bool starts_line = Axes::rank == 0 || at % array.sizes()[Axes::rank - 1] == 0;
      out << (starts_line ? '\n' : ' ') << array.data()[offset];
    }
  }
  return out;
}

}  // namespace axismask
