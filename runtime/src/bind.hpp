// A layer's arrays brought together: each operand of `keep` as a pointer with one stride for each axis of the logits.
#pragma once

#include <HalideRuntime.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "axismask/breach.hpp"
#include "axismask/call.hpp"

namespace axismask {

inline constexpr std::size_t max_rank = any_view::max_rank;
inline constexpr std::size_t max_arrays = max_operands + 2;  // logits, operands, out

// One array on the axes of the logits.
struct bound_array {
  std::byte* data = nullptr;
  std::int64_t element_bytes = 1;
  std::array<std::int64_t, max_rank> strides{};  // in elements; 0 along an axis that the array lacks
  halide_type_t type{};
};

// The arrays of a call in the order in which a kernel takes them: the logits, `keep`'s operands, and then, when the
// caller adds it, the result.
struct bound_call {
  std::array<bound_array, max_arrays> arrays;
  std::size_t array_count = 0;
  std::array<std::int64_t, max_rank> sizes{};
  std::size_t rank = 0;
  int position_bytes = 4;                                // the width of every operand of integers but the parameters
  std::vector<std::unique_ptr<std::int64_t[]>> widened;  // copies of positions of the other width

  bound_array& add(void* data, halide_type_t type);
};

// Checks the arrays against the layer and each other, by the names of their axes, and binds them. `logits` may be
// without memory when only sizes are asked for. Throws `error`.
[[nodiscard]] bound_call bind(const layer_values& layer, const any_view& logits,
                              std::span<const side_input> side_inputs);

// Lays an array along the logits' axes: `from` is an axis of the array that goes by the name `to` there.
void lay_on_logits(bound_array& array, std::string_view where, std::span<const named_axis> axes,
                   std::span<const named_axis> logits_axes, std::string_view from = {}, std::string_view to = {});

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
