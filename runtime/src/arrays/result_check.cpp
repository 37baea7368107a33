// What is asked of a call's result.
#include "arrays/result_check.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <span>
#include <string>

#include "arrays/bind_arrays.hpp"
#include "axismask/messages/text.hpp"

namespace axismask {
namespace {

// The addresses that an array touches.
struct address_range {
  const std::byte* begin;
  const std::byte* end;
};
address_range range_of(const bound_array& array, const bound_call& call) {
  address_range range{array.data, array.data + array.element_bytes};
  for (std::size_t axis = 0; axis < call.rank; ++axis) {
    const std::int64_t reach = (call.sizes[axis] - 1) * array.byte_stride(axis);
    (reach < 0 ? range.begin : range.end) += reach;
  }
  return range;
}

void check_elements_are_apart(const bound_call& call) {
  std::array<std::size_t, max_rank> order;
  std::size_t count = 0;
  for (std::size_t axis = 0; axis < call.rank; ++axis) {
    if (call.sizes[axis] > 1) order[count++] = axis;
  }
  const std::span<std::size_t> axes = std::span(order).first(count);
  call.sort_innermost_first(axes);
  std::int64_t reach = 0;
  for (const std::size_t axis : axes) {
    const std::int64_t stride = std::abs(call.out().strides[axis]);
    if (stride <= reach) {
      throw error("result-overlap", "out", "several of its elements lie in one place",
                  "give an array whose strides keep its elements apart");
    }
    reach += (call.sizes[axis] - 1) * stride;
  }
}

}  // namespace

void check_result(const any_view& logits, const any_view& out) {
  check_axes("out", out.axes());
  check_memory("out", out);
  if (out.type() != logits.type()) {
    throw error(
        "result-dtype", "out",
        "it holds " + std::string(info(out.type()).name) + ", and the logits " + std::string(info(logits.type()).name),
        "give an array of the logits' dtype");
  }
  for (const named_axis& axis : logits.axes()) {
    if (find_axis(out.axes(), axis.name) == nullptr) {
      throw error(
          "result-axes", "out",
          "it has no axis \"" + std::string(axis.name) + "\"; it has " + quoted_list(names_of_axes(out.axes())).str(),
          "give an array with the logits' axes, in any order");
    }
  }
}

bool is_in_place(const bound_call& call, bool has_addresses) {
  check_elements_are_apart(call);
  const bound_array& logits = call.logits();
  const bound_array& out = call.out();
  bool same = logits.data == out.data;
  for (std::size_t axis = 0; axis < call.rank; ++axis) {
    same = same && (call.sizes[axis] == 1 || logits.strides[axis] == out.strides[axis]);
  }
  const address_range read = range_of(logits, call);
  const address_range written = range_of(out, call);
  const bool overlap = has_addresses ? read.begin < written.end && written.begin < read.end : logits.data == out.data;
  if (!same && overlap) {
    throw error("result-overlap", "out", "it overlaps the logits without being the same array",
                "give memory of its own, or the logits themselves to mask in place");
  }
  return same;
}

}  // namespace axismask
