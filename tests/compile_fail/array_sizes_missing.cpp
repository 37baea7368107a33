// expect: an array requires its sizes, one for each axis; it has 1 of them and is given 0; give them all, in the order of its axes
// expect clang: axismask: an array requires its sizes, and strides where they are given, one for each axis; give them all, in the order of its axes
// An array that is made without its sizes.
#include "axismask/array.hpp"

using namespace axismask;

#ifdef AXISMASK_EXPECT_FAIL
auto positions() { return named_array<int, axes<"seq">>({}); }
#else
auto positions() { return named_array<int, axes<"seq">>({8}); }
#endif
