// A layer's arrays brought together: each operand of `keep` as a pointer with one stride for each axis of the logits.
#pragma once

#include <HalideRuntime.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "axismask/call/call.hpp"
#include "axismask/messages/call_breach.hpp"

namespace axismask {

inline constexpr std::size_t max_rank = any_view::max_rank;
inline constexpr std::size_t max_arrays = max_operands + 2;  // logits, operands, out

// One array on the axes of the logits.
struct bound_array {
  std::byte* data = nullptr;
  std::int64_t element_bytes = 1;
  std::array<std::int64_t, max_rank> strides{};  // in elements; 0 along an axis that the array lacks
  halide_type_t type{};
  // Positions or other integers of a side input: kernels take these in the width that they compute with.
  bool is_number = false;
  bool on_device = false;  // `data` is what a device knows it by
};

// The arrays of a call in the order in which a kernel takes them: the logits, `keep`'s operands, and then, when the
// caller adds it, the result.
struct bound_call {
  std::array<bound_array, max_arrays> arrays;
  std::size_t array_count = 0;
  std::size_t operand_count = 0;
  std::array<std::int64_t, max_rank> sizes{};
  std::size_t rank = 0;

  bound_array& add(void* data, halide_type_t type);
  bound_array& add(const any_view& view, halide_type_t type);
  [[nodiscard]] const bound_array& logits() const { return arrays[0]; }
  [[nodiscard]] std::span<const bound_array> operands() const { return {arrays.data() + 1, operand_count}; }
  [[nodiscard]] const bound_array& out() const { return arrays[array_count - 1]; }
  // Does any operand, and so the mask, change along this axis?
  [[nodiscard]] bool changes_along(std::size_t axis) const;
  [[nodiscard]] std::int64_t element_count() const;
  // Puts axes in the order of the result's memory.
  void sort_innermost_first(std::span<std::size_t> axes) const;
};

// Copies of operands in the other width, 4 or 8 bytes an element.
struct converted_numbers {
  std::array<std::vector<std::int32_t>, max_operands> narrow;
  std::array<std::vector<std::int64_t>, max_operands> wide;
};

// To be called when the result is bound, too. Gives every operand that is a side input's numbers this width, 4 or 8
// bytes. Numbers that are made narrow must fit.
void set_width(bound_call& call, int bytes, converted_numbers& copies);

// Visits the elements of a view in C order, a line along its last axis at a time: (offset in elements, count, stride).
template <class Visit>
void for_each_line(std::span<const named_axis> axes, Visit visit) {
  const std::size_t outer = axes.empty() ? 0 : axes.size() - 1;
  std::int64_t lines = 1;
  for (const named_axis& axis : axes.first(outer)) lines *= axis.size;
  for (std::int64_t line = 0; line < lines; ++line) {
    std::int64_t rest = line;
    std::int64_t offset = 0;
    for (std::size_t axis = outer; axis-- > 0;) {
      offset += rest % axes[axis].size * axes[axis].stride;
      rest /= axes[axis].size;
    }
    visit(offset, axes.empty() ? 1 : axes[outer].size, axes.empty() ? 1 : axes[outer].stride);
  }
}

// Checks the arrays against the layer and each other, by the names of their axes, and binds them. `logits` may be
// without memory when only sizes are asked for. Leaves nothing of what was in `call`. Throws `error`.
void bind_arrays(const layer_values& layer, const any_view& logits, std::span<const side_input> side_inputs,
                 bound_call& call);

// Lays an array along the logits' axes: `from` is an axis of the array that goes by the name `to` there.
void lay_on_logits(bound_array& array, std::string_view where, std::span<const named_axis> axes,
                   std::span<const named_axis> logits_axes, std::string_view from = {}, std::string_view to = {});

// Each side input that is given is one that the layer takes, and is given once. The binding checks it too.
void check_side_inputs(const layer_values& layer, std::span<const side_input> side_inputs);

// What both the binding and the call check.
void check_axes(std::string_view where, std::span<const named_axis> axes);
void check_memory(std::string_view where, const any_view& array);
[[nodiscard]] const named_axis* find_axis(std::span<const named_axis> axes, std::string_view name);

[[noreturn]] void fail(const char* id, std::string_view where, const breach::sentence& sentence);

// The names of some axes, as messages take them.
struct names_of_axes {
  explicit names_of_axes(std::span<const named_axis> axes) : size(axes.size()) {
    for (std::size_t axis = 0; axis < size; ++axis) storage[axis] = axes[axis].name;
  }
  operator std::span<const std::string_view>() const { return {storage.data(), size}; }  // NOLINT: a list of names

  std::array<std::string_view, max_rank> storage;
  std::size_t size;
};

}  // namespace axismask
