// A layer's arrays brought together: each operand of `keep` as a pointer with one stride for each axis of the logits.
// The room holds what a call's arrays are and what is checked of them before anything is computed. It knows no tiles,
// no threads and no devices: nothing of plan/, cpu/, device/ or call/ may come in here.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "arrays/bound_call.hpp"
#include "arrays/mask_job.hpp"
#include "axismask/arrays/index_walk.hpp"
#include "axismask/call/call.hpp"
#include "axismask/call/call_breach.hpp"

namespace axismask {

// Checks the arrays against the layer and each other, by the names of their axes, and binds them. `logits` may be
// without memory when only sizes are asked for. Leaves nothing of what was in `call`. Throws `error`.
void bind_arrays(const layer_values& layer, const any_view& logits, std::span<const side_input> side_inputs,
                 bound_call& call);

// The same with the result, which may be the logits themselves, and the masked value: a job but for its kernel.
void bind_job(const layer_values& layer, const any_view& logits, const any_view& out,
              std::span<const side_input> side_inputs, mask_job& job);

// Each side input that is given is one that the layer takes, and is given once. The binding checks it too.
void check_side_inputs(const layer_values& layer, std::span<const side_input> side_inputs);

// The names of the axes that a layer's positions lie along; empty where it has none. All masks of a composition have
// the same two.
struct position_axes {
  std::string_view query;
  std::string_view kv;
};
[[nodiscard]] position_axes position_axes_of(const layer_values& layer);

// Of any array by itself.
void check_axes(std::string_view where, std::span<const named_axis> axes);
// Throws array-null, and array-alignment for an address in the host's memory at which no element can be.
void check_memory(std::string_view where, const any_view& array);
[[nodiscard]] std::size_t bytes_beyond_alignment(const void* data, std::int64_t element_bytes);
[[noreturn]] void refuse_alignment(std::string_view where, std::size_t beyond, std::int64_t element_bytes);

[[nodiscard]] const named_axis* find_axis(std::span<const named_axis> axes, std::string_view name);

// The part of an array from `first` on, along an axis that it may lack.
[[nodiscard]] any_view part_of(const any_view& array, std::string_view axis, std::int64_t first, std::int64_t count);

// Visits the elements of a view in C order, a line along its last axis at a time: (offset in elements, count, stride).
template <class Visit>
void for_each_line(std::span<const named_axis> axes, Visit visit) {
  if (axes.empty()) return visit(0, 1, 1);
  index_walk<1> lines;
  for (const named_axis& axis : axes.first(axes.size() - 1)) {
    lines.add_axis(axis.size, [&](std::size_t) { return axis.stride; });
  }
  lines.for_each([&] { visit(lines.offset(0), axes.back().size, axes.back().stride); });
}

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
