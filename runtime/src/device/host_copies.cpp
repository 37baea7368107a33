// Copies in the host's memory.
#include "device/host_copies.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <string>

#include "axismask/arrays/index_walk.hpp"
#include "axismask/messages/error.hpp"

namespace axismask {
namespace {

// The axes along which an array has elements of its own, in their order.
struct own_axes {
  own_axes(const bound_array& array, const bound_call& call) {
    for (std::size_t axis = 0; axis < call.rank; ++axis) {
      if (call.sizes[axis] != 1 && array.strides[axis] != 0) axes[rank++] = axis;
    }
  }
  [[nodiscard]] std::span<std::size_t> all() { return {axes.data(), rank}; }

  std::array<std::size_t, max_rank> axes;
  std::size_t rank = 0;
};

// Visits an array's elements in the order of its axes: visit(its address).
template <class Visit>
void for_each_element(const bound_array& array, const bound_call& call, Visit visit) {
  own_axes axes(array, call);
  const std::span<const std::size_t> all = axes.all();
  const std::int64_t line = all.empty() ? 1 : call.sizes[all.back()];
  const std::int64_t step = all.empty() ? 0 : array.byte_stride(all.back());
  index_walk<1> lines;
  for (const std::size_t axis : all.first(all.empty() ? 0 : all.size() - 1)) {
    lines.add_axis(call.sizes[axis], [&](std::size_t) { return array.byte_stride(axis); });
  }
  lines.for_each([&] {
    std::byte* at = array.data + lines.offset(0);
    for (std::int64_t index = 0; index < line; ++index, at += step) visit(at);
  });
}

}  // namespace

extent extent_of(const bound_array& array, const bound_call& call) {
  own_axes axes(array, call);
  const std::span<std::size_t> all = axes.all();
  std::sort(all.begin(), all.end(), [&](std::size_t a, std::size_t b) { return array.strides[a] < array.strides[b]; });
  extent result{1, true};
  for (const std::size_t axis : all) {
    result.is_dense = result.is_dense && array.strides[axis] == result.bytes;
    result.bytes *= call.sizes[axis];
  }
  result.bytes *= array.element_bytes;
  return result;
}

void gather(const bound_array& from, const bound_call& call, std::byte* dense) {
  const auto bytes = static_cast<std::size_t>(from.element_bytes);
  for_each_element(from, call, [&](const std::byte* element) {
    std::memcpy(dense, element, bytes);
    dense += bytes;
  });
}

void scatter(std::byte* dense, const bound_array& to, const bound_call& call) {
  const auto bytes = static_cast<std::size_t>(to.element_bytes);
  for_each_element(to, call, [&](std::byte* element) {
    std::memcpy(element, dense, bytes);
    dense += bytes;
  });
}

void make_dense(bound_array& array, const bound_call& call, std::byte* data) {
  std::int64_t count = 1;
  own_axes axes(array, call);
  for (std::size_t at = axes.rank; at-- > 0;) {
    array.strides[axes.axes[at]] = count;
    count *= call.sizes[axes.axes[at]];
  }
  array.data = data;
}

std::vector<side_input> with_numbers_on_host(device& on, std::span<const side_input> side_inputs,
                                             std::vector<std::vector<std::byte>>& copies) {
  std::vector<side_input> result(side_inputs.begin(), side_inputs.end());
  copies.resize(std::max(copies.size(), result.size()));
  for (std::size_t index = 0; index < result.size(); ++index) {
    any_view& array = result[index].array;
    if (!array.is_in_device_memory() || array.type() == dtype::boolean || array.data() == nullptr) continue;
    std::int64_t count = array.element_count() == 0 ? 0 : 1;
    for (const named_axis& axis : array.axes()) {
      if (axis.stride < 0) {
        throw error("device-memory", std::string(result[index].name),
                    "it has a negative stride, so that it reaches before the start of its memory in the device",
                    "give an array that starts with its lowest address");
      }
      count += count == 0 ? 0 : (axis.size - 1) * axis.stride;
    }
    std::vector<std::byte>& copy = copies[index];
    copy.resize(static_cast<std::size_t>(count * info(array.type()).bytes));
    if (count > 0) {
      const wrapped_memory memory(on, array.data());
      copy_to_host(on, memory.buffer(), copy.data(), static_cast<std::int64_t>(copy.size()));
    }
    array = any_view(copy.data(), array.type(), array.axes());
  }
  return result;
}

}  // namespace axismask
