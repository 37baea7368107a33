// What an array is told of its axes when it is made: their sizes and their strides, one for each axis. A std::array in
// their place would fill up with zeros what a list in braces leaves out.
#pragma once

#include <array>
#include <concepts>
#include <cstddef>
#include <cstdint>

#include "axismask/messages/require.hpp"
#include "axismask/messages/text.hpp"

namespace axismask {

template <class T>
concept axis_number = std::convertible_to<T, std::int64_t> && !std::floating_point<T>;

namespace detail {

template <text What, std::size_t Rank, std::size_t Given>
constexpr void check_number_for_each_axis() {
  AXISMASK_REQUIRE(
      Rank == Given,
      phrase("an array requires its ") + What.view() + ", one for each axis; it has " + decimal(Rank) +
          " of them and is given " + decimal(Given) + "; give them all, in the order of its axes",
      "an array requires its sizes, and strides where they are given, one for each axis; give them all, in "
      "the order of its axes");
}

}  // namespace detail

// The sizes of an array's axes: `{4, 2048}` or a std::array. Another number of them is a compile error.
template <std::size_t Rank>
class axis_sizes {
 public:
  template <axis_number... Sizes>
  constexpr axis_sizes(Sizes... sizes) {  // NOLINT: implicit, as for a list in braces
    detail::check_number_for_each_axis<"sizes", Rank, sizeof...(Sizes)>();
    if constexpr (sizeof...(Sizes) == Rank) values_ = {static_cast<std::int64_t>(sizes)...};
  }
  template <std::size_t Given>
  constexpr axis_sizes(const std::array<std::int64_t, Given>& sizes) {  // NOLINT: implicit, too
    detail::check_number_for_each_axis<"sizes", Rank, Given>();
    if constexpr (Given == Rank) values_ = sizes;
  }

  [[nodiscard]] constexpr const std::array<std::int64_t, Rank>& values() const { return values_; }

 private:
  std::array<std::int64_t, Rank> values_{};
};

// The strides of an array's axes, in elements, one for each: `{4096, 1}` or a std::array. Without any, `{}`, the array
// is in C order. Another number of them is a compile error.
template <std::size_t Rank>
class axis_strides {
 public:
  constexpr axis_strides() = default;
  template <axis_number... Strides>
    requires(sizeof...(Strides) > 0)
  constexpr axis_strides(Strides... strides) : are_given_(true) {  // NOLINT: implicit, as for a list in braces
    detail::check_number_for_each_axis<"strides", Rank, sizeof...(Strides)>();
    if constexpr (sizeof...(Strides) == Rank) values_ = {static_cast<std::int64_t>(strides)...};
  }
  template <std::size_t Given>
  constexpr axis_strides(const std::array<std::int64_t, Given>& strides) : are_given_(true) {  // NOLINT: implicit, too
    detail::check_number_for_each_axis<"strides", Rank, Given>();
    if constexpr (Given == Rank) values_ = strides;
  }

  // The strides, of an array that has these sizes.
  [[nodiscard]] constexpr std::array<std::int64_t, Rank> of(const std::array<std::int64_t, Rank>& sizes) const {
    if (are_given_) return values_;
    std::array<std::int64_t, Rank> dense{};
    std::int64_t stride = 1;
    for (std::size_t axis = Rank; axis-- > 0;) {
      dense[axis] = stride;
      stride *= sizes[axis];
    }
    return dense;
  }

 private:
  std::array<std::int64_t, Rank> values_{};
  bool are_given_ = false;
};

}  // namespace axismask
