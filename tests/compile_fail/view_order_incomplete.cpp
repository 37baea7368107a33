// expect: order_as(array): the axes asked for are \"seq\", and the array has \"heads\", \"seq\"; name each of its axes once
// expect clang: axismask: the function requires each axis of the array, once; name them all
// A view is reordered without one of its axes.
#include "axismask/views.hpp"

void call(const axismask::named_view<float, axismask::axes<"heads", "seq">>& view) {
#ifdef AXISMASK_EXPECT_FAIL
  (void)axismask::order_as<"seq">(view);
#else
  (void)axismask::order_as<"seq", "heads">(view);
#endif
}
