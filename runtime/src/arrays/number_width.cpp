// Positions and other integers of side inputs in the width that a kernel computes with.
#include "arrays/number_width.hpp"

#include <algorithm>
#include <cstddef>
#include <span>

#include "axismask/arrays/index_walk.hpp"

namespace axismask {
namespace {

template <class To>
void take(std::vector<To>& copy, const std::array<std::int64_t, max_rank>& strides, bound_array& numbers) {
  numbers.data = reinterpret_cast<std::byte*>(copy.data());
  numbers.element_bytes = sizeof(To);
  numbers.type = element_dtype<To>::value;
  numbers.strides = strides;
}

// Replaces an operand by a copy of another type. Only the elements that there are: an axis that the array lacks stays a
// stride of 0. The copy's axes are in the order of the result's, so that the kernel finds it as dense as that.
template <class From, class To>
void convert(bound_array& numbers, const bound_call& call, std::vector<To>& copy) {
  const std::span<const std::int64_t> sizes(call.sizes.data(), call.rank);
  if (std::ranges::find(sizes, 0) != sizes.end()) {
    // No number is read then, and an array that is empty, too, may have no memory: a number stands for all.
    copy.assign(1, 0);
    take(copy, {}, numbers);
    return;
  }
  std::array<std::size_t, max_rank> order;  // innermost first
  std::size_t rank = 0;
  for (std::size_t axis = 0; axis < call.rank; ++axis) {
    if (numbers.strides[axis] != 0 && call.sizes[axis] > 1) order[rank++] = axis;
  }
  const std::span<std::size_t> axes = std::span(order).first(rank);
  call.sort_innermost_first(axes);
  std::array<std::int64_t, max_rank> strides{};
  std::int64_t count = 1;
  for (const std::size_t axis : axes) {
    strides[axis] = count;
    count *= call.sizes[axis];
  }
  copy.resize(static_cast<std::size_t>(count));
  const std::int64_t line = rank > 0 ? call.sizes[axes[0]] : 1;
  const std::int64_t step = rank > 0 ? numbers.strides[axes[0]] : 0;
  index_walk<1> lines;
  for (std::size_t at = rank; at-- > 1;) {
    lines.add_axis(call.sizes[axes[at]], [&](std::size_t) { return numbers.strides[axes[at]]; });
  }
  const auto* elements = reinterpret_cast<const From*>(numbers.data);
  To* to = copy.data();
  lines.for_each([&] {
    const From* from = elements + lines.offset(0);
    if (step == 1) {  // as the compiler reads several at a time
      std::transform(from, from + line, to, [](From number) { return static_cast<To>(number); });
    } else {
      for (std::int64_t at = 0; at < line; ++at) to[at] = static_cast<To>(from[at * step]);
    }
    to += line;
  });
  take(copy, strides, numbers);
}

}  // namespace

void set_width(bound_call& call, int bytes, converted_numbers& copies) {
  for (std::size_t index = 0; index < call.operand_count; ++index) {
    bound_array& numbers = call.arrays[index + 1];
    if (!numbers.is_number || numbers.element_bytes == bytes) continue;
    switch (numbers.type) {
      case dtype::int32:
        convert<std::int32_t>(numbers, call, copies.wide[index]);
        break;
      case dtype::int64:
        convert<std::int64_t>(numbers, call, copies.narrow[index]);
        break;
      case dtype::float16:
      case dtype::bfloat16:
      case dtype::float32:
      case dtype::float64:
      case dtype::boolean:
        break;  // no numbers of a side input
    }
  }
}

}  // namespace axismask
