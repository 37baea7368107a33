// An array whose axes are known to the compiler: memory that somebody else owns, with the names of its axes in its
// type.
#pragma once

#include <array>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <type_traits>

#include "axismask/arrays/any_view.hpp"
#include "axismask/arrays/axis.hpp"
#include "axismask/arrays/axis_numbers.hpp"
#include "axismask/arrays/dtype.hpp"
#include "axismask/messages/require.hpp"

namespace axismask {

template <class T, class Axes>
class named_view;

template <class T>
concept is_number_or_pointer =
    std::is_arithmetic_v<T> || (std::is_pointer_v<T> && std::is_arithmetic_v<std::remove_pointer_t<T>> &&
                                sizeof(std::conditional_t<std::is_pointer_v<T>, std::remove_pointer_t<T>, int>) > 1);

// A view of an array of `T` elements, const or not, with the axes in the order given. It does not own the memory.
//   named_view<float, axes<"heads", "seq", "kv_seq">> logits(pointer, {4, 2048, 2048});
template <class T, text... Names>
class named_view<T, axes<Names...>> {
 public:
  using element_type = T;
  using axes_type = axes<Names...>;
  static constexpr std::size_t rank = sizeof...(Names);
  static_assert(element_dtype<std::remove_const_t<T>>::is_checked);

  // Views an array of `sizes` elements along each axis, with a stride for each axis, in elements, which may be 0 or
  // negative. Without strides the array is dense, in C order: the last axis is contiguous.
  constexpr named_view(T* data, const axis_sizes<rank>& sizes, const axis_strides<rank>& strides = {})
      : data_(data), sizes_(sizes.values()), strides_(strides.of(sizes_)) {
    require_distinct_axes();
  }

  // A view to read from comes from one to write to.
  template <class Other>
    requires(std::same_as<const Other, T> && !std::same_as<Other, T>)
  constexpr named_view(const named_view<Other, axes_type>& other)  // NOLINT: implicit, as T* becomes const T*
      : data_(other.data_),
        sizes_(other.sizes_),
        strides_(other.strides_),
        in_device_memory_(other.in_device_memory_) {}

  // Numbers of a layer, such as a window for each head, are such a view, `counts_over`. One number or a bare pointer in
  // the place of it is a compile error that says what to give. Not constexpr, so that a mere question
  // whether there is a conversion is none.
  template <class Given>
    requires(std::same_as<T, const std::int64_t> && is_number_or_pointer<Given>)
  named_view(Given) : data_(nullptr), sizes_(), strides_() {  // NOLINT: implicit, as the view itself would be
    refuse_without_sizes<Given>();
  }
  // Gives the view of the same array whose memory is a device's; see `any_view::in_device_memory`.
  [[nodiscard]] constexpr named_view in_device_memory() const {
    named_view view = *this;
    view.in_device_memory_ = true;
    return view;
  }

  [[nodiscard]] constexpr T* data() const { return data_; }
  [[nodiscard]] constexpr const std::array<std::int64_t, rank>& sizes() const { return sizes_; }
  [[nodiscard]] constexpr const std::array<std::int64_t, rank>& strides() const { return strides_; }

  // The number of elements along one axis: `logits.size<"kv_seq">()`. An axis that is not there is a compile error.
  template <text Name>
  [[nodiscard]] std::int64_t size() const {
    AXISMASK_REQUIRE((has_axis<axes_type, axis<Name>>),
                     phrase("size(): no axis \"") + Name.view() + "\"; the array has " + quoted_list(axes_type::names) +
                         did_you_mean(Name.view(), axes_type::names) + "; use one of its names",
                     "size<name>() requires an axis of the array; use one of its names");
    return sizes_[index_of<Name>()];
  }

  // The element at an index of each axis, in the view's order: `logits(head, query, key)`. Indices are not checked.
  template <std::integral... Index>
    requires(sizeof...(Index) == rank)
  [[nodiscard]] T& operator()(Index... index) const {
    std::int64_t offset = 0;
    std::size_t axis = 0;
    ((offset += static_cast<std::int64_t>(index) * strides_[axis++]), ...);
    return data_[offset];
  }

  // Gives the same view with its axes and dtype as run-time values; a call that takes such a view does so by itself.
  operator any_view() const { return erased(); }  // NOLINT: implicit, it is the same array
  [[nodiscard]] any_view erased() const {
    std::array<named_axis, rank> axes;
    for (std::size_t axis = 0; axis < rank; ++axis) {
      axes[axis] = {axes_type::names[axis], sizes_[axis], strides_[axis]};
    }
    const any_view view(data_, element_dtype<std::remove_const_t<T>>::value, axes);
    return in_device_memory_ ? view.in_device_memory() : view;
  }

 private:
  template <class, class>
  friend class named_view;

  template <class Given>
  static constexpr bool has_sizes = false;
  template <class Given>
  static void refuse_without_sizes() {
    static_assert(has_sizes<Given>,
                  "axismask: counts_over requires one number for each index of its axes, as an array of std::int64_t "
                  "with its sizes; give {pointer, {4}}, and for one number leave counts_over out of the type");
  }

  static constexpr void require_distinct_axes() {
    AXISMASK_REQUIRE(has_distinct_axes<axes_type>,
                     phrase("a named array requires each axis once; its axes are ") + quoted_list(axes_type::names) +
                         ": rename one of the two that are equal",
                     "a named array requires each axis once; rename one of the two that are equal");
  }

  template <text Name>
  static consteval std::size_t index_of() {
    for (std::size_t axis = 0; axis < rank; ++axis) {
      if (axes_type::names[axis] == Name.view()) return axis;
    }
    return 0;
  }

  T* data_;
  std::array<std::int64_t, rank> sizes_;
  std::array<std::int64_t, rank> strides_;
  bool in_device_memory_ = false;
};

}  // namespace axismask
