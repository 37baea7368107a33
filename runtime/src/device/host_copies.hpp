// Copies in the host's memory: dense ones of arrays that have gaps, and those of a device's numbers that the host must
// see.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "arrays/bound_call.hpp"
#include "axismask/call/call.hpp"
#include "device/device.hpp"

namespace axismask {

// How many bytes the elements of an array are, and whether they lie together from its first on. An axis along which the
// array repeats has one element.
struct extent {
  std::int64_t bytes;
  bool is_dense;
};
[[nodiscard]] extent extent_of(const bound_array& array, const bound_call& call);

// Copies between an array with gaps and a dense one in the order of its axes.
void gather(const bound_array& from, const bound_call& call, std::byte* dense);
void scatter(std::byte* dense, const bound_array& to, const bound_call& call);

// Gives an array the strides of a dense copy in the order of its axes, which is at `data`.
void make_dense(bound_array& array, const bound_call& call, std::byte* data);

// The side inputs with copies of those numbers that are in the device's memory: the runtime must see them to know which
// tiles there are.
[[nodiscard]] std::vector<side_input> with_numbers_on_host(device& on, std::span<const side_input> side_inputs,
                                                           std::vector<std::vector<std::byte>>& copies);

}  // namespace axismask
