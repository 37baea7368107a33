// expect: an array requires its strides, one for each axis; it has 2 of them and is given 1; give them all, in the order of its axes
// expect clang: axismask: an array requires its sizes, and strides where they are given, one for each axis; give them all, in the order of its axes
// A view with a stride for one of its two axes.
#include <cstdint>

#include "axismask/array.hpp"

using namespace axismask;

auto view_of(const float* memory, std::int64_t tokens) {
#ifdef AXISMASK_EXPECT_FAIL
  return named_view<const float, axes<"seq", "kv_seq">>(memory, {tokens, tokens}, {2 * tokens});
#else
  return named_view<const float, axes<"seq", "kv_seq">>(memory, {tokens, tokens}, {2 * tokens, 1});
#endif
}
