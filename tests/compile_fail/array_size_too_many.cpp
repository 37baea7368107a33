// expect: an array requires its sizes, one for each axis; it has 2 of them and is given 3; give them all, in the order of its axes
// expect clang: axismask: an array requires its sizes, and strides where they are given, one for each axis; give them all, in the order of its axes
// An array with more sizes than axes, in a std::array.
#include <array>
#include <cstdint>

#include "axismask/array.hpp"

using namespace axismask;

#ifdef AXISMASK_EXPECT_FAIL
using sizes = std::array<std::int64_t, 3>;
#else
using sizes = std::array<std::int64_t, 2>;
#endif

auto logits_of(const sizes& all) { return named_array<float, axes<"seq", "kv_seq">>(all); }
