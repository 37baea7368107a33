// The arrays of a call on common axes, those of the logits: each is a pointer with one stride for each axis.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "axismask/arrays/any_view.hpp"
#include "axismask/layer/layer_type.hpp"

namespace axismask {

inline constexpr std::size_t max_rank = any_view::max_rank;
inline constexpr std::size_t max_arrays = max_operands + 2;  // logits, operands, out

// No axis at all, where there may be one.
inline constexpr std::size_t no_axis = max_rank;

// One array on the axes of the logits.
struct bound_array {
  std::byte* data = nullptr;
  std::int64_t element_bytes = 1;
  std::array<std::int64_t, max_rank> strides{};  // in elements; 0 along an axis that the array lacks
  dtype type{};
  // Positions or other integers of a side input: kernels take these in the width that they compute with.
  bool is_number = false;
  bool on_device = false;  // `data` is what a device knows it by

  // 0 along no axis.
  [[nodiscard]] std::int64_t byte_stride(std::size_t axis) const {
    return axis == no_axis ? 0 : strides[axis] * element_bytes;
  }
};

// Where each array of a call is at some index, in bytes from its first element.
using array_offsets = std::array<std::int64_t, max_arrays>;

// The arrays of a call in the order in which a kernel takes them: the logits, `keep`'s operands, and then, when the
// caller adds it, the result.
struct bound_call {
  std::array<bound_array, max_arrays> arrays;
  std::size_t array_count = 0;
  std::size_t operand_count = 0;
  std::array<std::int64_t, max_rank> sizes{};
  std::size_t rank = 0;

  // Along every axis an array that is added has a stride of 0 at first.
  bound_array& add(void* data, dtype type);
  bound_array& add(const any_view& view);
  [[nodiscard]] const bound_array& logits() const { return arrays[0]; }
  [[nodiscard]] std::span<const bound_array> operands() const { return {arrays.data() + 1, operand_count}; }
  [[nodiscard]] const bound_array& out() const { return arrays[array_count - 1]; }
  // Does any operand, and so the mask, change along this axis?
  [[nodiscard]] bool changes_along(std::size_t axis) const;
  [[nodiscard]] std::int64_t element_count() const;
  // Moves along an axis, in every array; along no axis there is nowhere to go.
  void move(array_offsets& at, std::size_t axis, std::int64_t steps) const;
  // Moves to an index of several axes, counted in C order. Gives what is left of the number when they are taken off.
  std::int64_t move_to(array_offsets& at, std::span<const std::size_t> axes, std::int64_t number) const;
  // Puts axes in the order of the result's memory.
  void sort_innermost_first(std::span<std::size_t> axes) const;
};

// Makes a call small in axes: drops those of size 1, turns the result's strides positive, sorts its axes from the
// innermost out, and folds two axes into one where every array allows it.
void fold_axes(bound_call& call);

}  // namespace axismask
