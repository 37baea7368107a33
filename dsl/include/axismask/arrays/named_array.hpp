// A named array that owns its memory; and what both kinds of named arrays are to a layer, `as_view`.
#pragma once

#include <array>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <utility>

#include "axismask/arrays/named_view.hpp"

namespace axismask {

// An array that owns its memory: dense, in C order. Its elements start without a value.
template <class T, class Axes>
class named_array {
 public:
  using element_type = T;
  using axes_type = Axes;

  // A template, since a number in braces would else be an array to move from as well as its sizes.
  template <class Sizes = axis_sizes<Axes::rank>>
    requires(!axis_number<Sizes>)
  explicit named_array(const Sizes& sizes)
      : memory_(count(axis_sizes<Axes::rank>(sizes).values())), view_(memory_.data, sizes) {}

  // The view, for everything that is not here: `array.view().size<"seq">()`.
  [[nodiscard]] named_view<T, Axes> view() { return view_; }
  [[nodiscard]] named_view<const T, Axes> view() const { return view_; }
  // The view with its axes and dtype as run-time values; a call that takes such a view does so by itself.
  [[nodiscard]] any_view erased() { return view().erased(); }
  [[nodiscard]] any_view erased() const { return view().erased(); }
  operator any_view() { return erased(); }        // NOLINT: implicit, it is the same array
  operator any_view() const { return erased(); }  // NOLINT: implicit, too
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

  // A std::unique_ptr<T[]>, whose header costs as much to compile as all of ours.
  struct owned_memory {
    T* data;

    explicit owned_memory(std::size_t size) : data(new T[size]) {}
    owned_memory(owned_memory&& other) noexcept : data(std::exchange(other.data, nullptr)) {}
    owned_memory& operator=(owned_memory&& other) noexcept {
      std::swap(data, other.data);
      return *this;
    }
    ~owned_memory() { delete[] data; }
  };

  owned_memory memory_;
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
