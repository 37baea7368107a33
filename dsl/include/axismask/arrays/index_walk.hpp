// Counting along several axes: one number that stands for an index along each, and a walk over all indices. The last
// axis counts fastest, as in C's arrays.
#pragma once

#include <array>
#include <cassert>
#include <cstddef>
#include <cstdint>

#include "axismask/arrays/any_view.hpp"

namespace axismask {

// Tells of a number the index along each of `rank` axes, the last axis first: visit(axis, index). Gives what is left of
// the number when the indices are taken off: 0, if it counts nothing besides.
template <class SizeOf, class Visit>
constexpr std::int64_t split_index(std::int64_t number, std::size_t rank, SizeOf size_of, Visit visit) {
  for (std::size_t axis = rank; axis-- > 0;) {
    const std::int64_t size = size_of(axis);
    visit(axis, number % size);
    number /= size;
  }
  return number;
}

// Visits all indices of some axes in order. Of up to `Arrays` arrays that have these axes it knows where their element
// at the index at hand lies.
template <std::size_t Arrays>
class index_walk {
 public:
  explicit index_walk(std::size_t array_count = Arrays) : array_count_(array_count) { assert(array_count <= Arrays); }

  // One axis more, inside those that there are. `stride_of(array)` is in what offsets are to be in, bytes or elements.
  template <class StrideOf>
  void add_axis(std::int64_t size, StrideOf stride_of) {
    assert(rank_ < any_view::max_rank);
    sizes_[rank_] = size;
    for (std::size_t array = 0; array < array_count_; ++array) strides_[rank_][array] = stride_of(array);
    ++rank_;
  }

  // Of no axes there is one index.
  [[nodiscard]] std::int64_t count() const {
    std::int64_t product = 1;
    for (std::size_t axis = 0; axis < rank_; ++axis) product *= sizes_[axis];
    return product;
  }

  // Calls `visit()` at each index.
  template <class Visit>
  void for_each(Visit visit) {
    for (std::size_t axis = 0; axis < rank_; ++axis) {
      if (sizes_[axis] == 0) return;
      indices_[axis] = 0;
    }
    offsets_.fill(0);
    do {
      visit();
    } while (advance());
  }

  // Within a visit: the index along an axis, in the order in which they were added, and an array's offset from its
  // first element.
  [[nodiscard]] std::int64_t index(std::size_t axis) const { return indices_[axis]; }
  [[nodiscard]] std::int64_t offset(std::size_t array) const { return offsets_[array]; }

 private:
  bool advance() {
    for (std::size_t axis = rank_; axis-- > 0;) {
      const bool carries = ++indices_[axis] == sizes_[axis];
      const std::int64_t steps = carries ? 1 - sizes_[axis] : 1;
      for (std::size_t array = 0; array < array_count_; ++array) offsets_[array] += steps * strides_[axis][array];
      if (!carries) return true;
      indices_[axis] = 0;
    }
    return false;
  }

  // Not set to anything before it is needed: a small call has no axes to walk.
  std::size_t rank_ = 0;
  std::size_t array_count_;
  std::array<std::int64_t, any_view::max_rank> sizes_;
  std::array<std::int64_t, any_view::max_rank> indices_;
  std::array<std::array<std::int64_t, Arrays>, any_view::max_rank> strides_;
  std::array<std::int64_t, Arrays> offsets_;
};

}  // namespace axismask
