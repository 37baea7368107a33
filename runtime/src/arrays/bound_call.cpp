// The arrays of a call on common axes.
#include "arrays/bound_call.hpp"

#include <algorithm>
#include <cstdlib>

#include "axismask/arrays/index_walk.hpp"

namespace axismask {

bound_array& bound_call::add(void* data, dtype type) {
  bound_array& added = arrays[array_count++];
  std::fill_n(added.strides.begin(), rank, 0);
  added.is_number = false;
  added.on_device = false;
  added.data = static_cast<std::byte*>(data);
  added.type = type;
  added.element_bytes = info(type).bytes;
  return added;
}

bound_array& bound_call::add(const any_view& view) {
  bound_array& added = add(view.data(), view.type());
  added.on_device = view.is_in_device_memory();
  return added;
}

bool bound_call::changes_along(std::size_t axis) const {
  const std::span<const bound_array> all = operands();
  return sizes[axis] != 1 &&
         std::any_of(all.begin(), all.end(), [axis](const bound_array& operand) { return operand.strides[axis] != 0; });
}

void bound_call::move(array_offsets& at, std::size_t axis, std::int64_t steps) const {
  for (std::size_t array = 0; array < array_count; ++array) at[array] += steps * arrays[array].byte_stride(axis);
}

std::int64_t bound_call::move_to(array_offsets& at, std::span<const std::size_t> axes, std::int64_t number) const {
  return split_index(
      number, axes.size(), [&](std::size_t place) { return sizes[axes[place]]; },
      [&](std::size_t place, std::int64_t index) { move(at, axes[place], index); });
}

std::int64_t bound_call::element_count() const {
  std::int64_t count = 1;
  for (std::size_t axis = 0; axis < rank; ++axis) count *= sizes[axis];
  return count;
}

void bound_call::sort_innermost_first(std::span<std::size_t> axes) const {
  const auto stride = [this](std::size_t axis) { return std::abs(out().strides[axis]); };
  std::sort(axes.begin(), axes.end(), [&](std::size_t a, std::size_t b) { return stride(a) < stride(b); });
}

void fold_axes(bound_call& call) {
  std::array<std::size_t, max_rank> order;
  std::size_t rank = 0;
  const std::span<bound_array> arrays(call.arrays.data(), call.array_count);
  for (std::size_t axis = 0; axis < call.rank; ++axis) {
    if (call.sizes[axis] == 1) continue;
    if (arrays.back().strides[axis] < 0) {
      for (bound_array& array : arrays) {
        array.data += (call.sizes[axis] - 1) * array.byte_stride(axis);
        array.strides[axis] = -array.strides[axis];
      }
    }
    order[rank++] = axis;
  }
  call.sort_innermost_first(std::span(order).first(rank));
  std::array<std::array<std::int64_t, max_rank>, max_arrays> before;  // strides
  for (std::size_t array = 0; array < call.array_count; ++array) before[array] = arrays[array].strides;
  const std::array<std::int64_t, max_rank> sizes = call.sizes;
  call.rank = 0;
  for (const std::size_t axis : std::span(order).first(rank)) {
    const auto follows = [&](const bound_array& array) {
      const auto index = static_cast<std::size_t>(&array - arrays.data());
      return before[index][axis] == call.sizes[call.rank - 1] * array.strides[call.rank - 1];
    };
    if (call.rank > 0 && std::all_of(arrays.begin(), arrays.end(), follows)) {
      call.sizes[call.rank - 1] *= sizes[axis];
      continue;
    }
    for (std::size_t index = 0; index < call.array_count; ++index) {
      arrays[index].strides[call.rank] = before[index][axis];
    }
    call.sizes[call.rank++] = sizes[axis];
  }
}

}  // namespace axismask
