// Named arrays. A `named_view` is memory that somebody else owns, with the names of its axes in its type; a
// `named_array` owns its memory; an `any_view` is either of them with the names known at run time only.
#pragma once

#include <algorithm>
#include <array>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>

#include "axismask/arrays/axis.hpp"
#include "axismask/arrays/dtype.hpp"
#include "axismask/messages/error.hpp"
#include "axismask/messages/require.hpp"

namespace axismask {

// One axis of an array at run time. The stride counts elements, may be 0 (the axis repeats one element) and may be
// negative.
struct named_axis {
  std::string_view name;
  std::int64_t size = 0;
  std::int64_t stride = 0;
};

// An array whose axes are known at run time: a pointer to its first element, its dtype and its axes, outermost first.
// It owns neither the memory nor the names. Inputs are only read, though the pointer does not say so.
class any_view {
 public:
  static constexpr std::size_t max_rank = 16;

  any_view() = default;

  any_view(void* data, dtype type, std::span<const named_axis> axes) : data_(data), type_(type), rank_(axes.size()) {
    if (axes.size() > max_rank) {
      throw error(
          "array-rank", "array",
          "it has " + std::to_string(axes.size()) + " axes, and at most " + std::to_string(max_rank) + " are possible",
          "fold axes that lie next to each other in memory into one");
    }
    std::copy(axes.begin(), axes.end(), axes_.begin());
  }
  any_view(void* data, dtype type, std::initializer_list<named_axis> axes)
      : any_view(data, type, std::span(axes.begin(), axes.size())) {}

  // A dense array in C order: the last axis is contiguous. The strides in `axes` are not looked at.
  [[nodiscard]] static any_view dense(void* data, dtype type, std::span<const named_axis> axes) {
    any_view view(data, type, axes);
    std::int64_t stride = 1;
    for (std::size_t axis = view.rank_; axis-- > 0;) {
      view.axes_[axis].stride = stride;
      stride *= view.axes_[axis].size;
    }
    return view;
  }

  // The same array where its memory is a device's: `data` is then what the device knows it by, a CUdeviceptr for CUDA
  // or a cl_mem for OpenCL, of the first element. An OpenCL array starts where its cl_mem starts.
  [[nodiscard]] any_view in_device_memory() const {
    any_view view = *this;
    view.in_device_memory_ = true;
    return view;
  }

  [[nodiscard]] void* data() const { return data_; }
  [[nodiscard]] bool is_in_device_memory() const { return in_device_memory_; }
  [[nodiscard]] dtype type() const { return type_; }
  [[nodiscard]] std::span<const named_axis> axes() const { return {axes_.data(), rank_}; }

  [[nodiscard]] std::int64_t element_count() const {
    std::int64_t count = 1;
    for (const named_axis& axis : axes()) count *= axis.size;
    return count;
  }

 private:
  void* data_ = nullptr;
  dtype type_ = dtype::float32;
  bool in_device_memory_ = false;
  std::size_t rank_ = 0;
  std::array<named_axis, max_rank> axes_{};
};

template <class T, class Axes>
class named_view;

// A view of `T` elements over the axes in the order given. `T` may be const.
//   named_view<float, axes<"heads", "seq", "kv_seq">> logits(pointer, {4, 2048, 2048});
template <class T, text... Names>
class named_view<T, axes<Names...>> {
 public:
  using element_type = T;
  using axes_type = axes<Names...>;
  static constexpr std::size_t rank = sizeof...(Names);
  static_assert(element<std::remove_const_t<T>>,
                "axismask: an array holds float, double, float16, bfloat16, a signed 32- or 64-bit integer or bool; "
                "for another type specialise axismask::dtype_of");

  // Dense, in C order: the last axis is contiguous.
  constexpr named_view(T* data, const std::array<std::int64_t, rank>& sizes) : data_(data), sizes_(sizes) {
    require_distinct_axes();
    std::int64_t stride = 1;
    for (std::size_t axis = rank; axis-- > 0;) {
      strides_[axis] = stride;
      stride *= sizes_[axis];
    }
  }

  // With strides in elements, one for each axis.
  constexpr named_view(T* data, const std::array<std::int64_t, rank>& sizes,
                       const std::array<std::int64_t, rank>& strides)
      : data_(data), sizes_(sizes), strides_(strides) {
    require_distinct_axes();
  }

  // The same array where its memory is a device's; see `any_view::in_device_memory`.
  [[nodiscard]] constexpr named_view in_device_memory() const {
    named_view view = *this;
    view.in_device_memory_ = true;
    return view;
  }

  [[nodiscard]] constexpr T* data() const { return data_; }
  [[nodiscard]] constexpr const std::array<std::int64_t, rank>& sizes() const { return sizes_; }
  [[nodiscard]] constexpr const std::array<std::int64_t, rank>& strides() const { return strides_; }

  // The size along one axis: `logits.size<"kv_seq">()`.
  template <text Name>
  [[nodiscard]] std::int64_t size() const {
    AXISMASK_REQUIRE((has_axis<axes_type, axis<Name>>),
                     phrase("size(): no axis \"") + Name.view() + "\"; the array has " + quoted_list(axes_type::names) +
                         did_you_mean(Name.view(), axes_type::names) + "; use one of its names",
                     "size<name>() requires an axis of the array; use one of its names");
    return sizes_[index_of<Name>()];
  }

  // The element at an index for each axis, in the view's order: `logits(head, query, key)`.
  template <std::integral... Index>
    requires(sizeof...(Index) == rank)
  [[nodiscard]] T& operator()(Index... index) const {
    std::int64_t offset = 0;
    std::size_t axis = 0;
    ((offset += static_cast<std::int64_t>(index) * strides_[axis++]), ...);
    return data_[offset];
  }

  [[nodiscard]] any_view erased() const {
    std::array<named_axis, rank> axes;
    for (std::size_t axis = 0; axis < rank; ++axis) {
      axes[axis] = {axes_type::names[axis], sizes_[axis], strides_[axis]};
    }
    const any_view view(const_cast<std::remove_const_t<T>*>(data_), dtype_of<std::remove_const_t<T>>::value, axes);
    return in_device_memory_ ? view.in_device_memory() : view;
  }

 private:
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
  std::array<std::int64_t, rank> strides_{};
  bool in_device_memory_ = false;
};

// An array that owns its memory: dense, in C order. Its elements start without a value.
template <class T, class Axes>
class named_array {
 public:
  using element_type = T;
  using axes_type = Axes;

  explicit named_array(const std::array<std::int64_t, Axes::rank>& sizes)
      : memory_(std::make_unique_for_overwrite<T[]>(count(sizes))), view_(memory_.get(), sizes) {}

  // The view, for everything that is not here: `array.view().size<"seq">()`.
  [[nodiscard]] named_view<T, Axes> view() { return view_; }
  [[nodiscard]] named_view<const T, Axes> view() const { return {view_.data(), view_.sizes(), view_.strides()}; }
  [[nodiscard]] T* data() { return view_.data(); }
  [[nodiscard]] const T* data() const { return view_.data(); }
  [[nodiscard]] std::size_t element_count() const { return count(view_.sizes()); }

  template <std::integral... Index>
  [[nodiscard]] T& operator()(Index... index) {
    return view_(index...);
  }
  template <std::integral... Index>
  [[nodiscard]] const T& operator()(Index... index) const {
    return view_(index...);
  }

 private:
  static std::size_t count(const std::array<std::int64_t, Axes::rank>& sizes) {
    std::size_t count = 1;
    for (const std::int64_t size : sizes) count *= static_cast<std::size_t>(size);
    return count;
  }

  std::unique_ptr<T[]> memory_;
  named_view<T, Axes> view_;
};

// Anything that a layer can be called on: a named_view, or a named_array seen as one.
template <class T, class Axes>
[[nodiscard]] named_view<T, Axes> as_view(const named_view<T, Axes>& view) {
  return view;
}
template <class T, class Axes>
[[nodiscard]] named_view<T, Axes> as_view(named_array<T, Axes>& array) {
  return array.view();
}
template <class T, class Axes>
[[nodiscard]] named_view<const T, Axes> as_view(const named_array<T, Axes>& array) {
  return array.view();
}

template <class T>
concept named = requires(T& array) { as_view(array); };

}  // namespace axismask
