// expect: an array requires its sizes, one for each axis; it has 3 of them and is given 2; give them all, in the order of its axes
// expect clang: axismask: an array requires its sizes, and strides where they are given, one for each axis; give them all, in the order of its axes
// A view with a size for two of its three axes.
#include <cstdint>

#include "axismask/array.hpp"

using namespace axismask;

auto view_of(const float* memory, std::int64_t tokens) {
#ifdef AXISMASK_EXPECT_FAIL
  return named_view<const float, axes<"heads", "seq", "kv_seq">>(memory, {tokens, tokens});
#else
  return named_view<const float, axes<"heads", "seq", "kv_seq">>(memory, {4, tokens, tokens});
#endif
}
