// expect: rename(array): it has no axis \"sek\"; it has \"heads\", \"seq\" (did you mean \"seq\"?); use one of its names
// expect clang: axismask::text<4>{"sek"}>>': axismask: the function requires an axis that the array has; use one of its names
// A view is renamed along an axis that it has not.
#include "axismask/views.hpp"

void call(const axismask::named_view<float, axismask::axes<"heads", "seq">>& view) {
#ifdef AXISMASK_EXPECT_FAIL
  (void)axismask::rename<"sek", "kv_seq">(view);
#else
  (void)axismask::rename<"seq", "kv_seq">(view);
#endif
}
