// expect: size(): no axis \"kv_sec\"; the array has \"heads\", \"seq\", \"kv_seq\" (did you mean \"kv_seq\"?); use one of its names
// expect clang: axismask::axis<axismask::text<7>{"kv_sec"}>>': axismask: size<name>() requires an axis of the array; use one of its names
// The size along an axis that the array does not have.
#include <cstdint>

#include "axismask/array.hpp"

using namespace axismask;

std::int64_t number_of_keys(const named_view<const float, axes<"heads", "seq", "kv_seq">>& logits) {
#ifdef AXISMASK_EXPECT_FAIL
  return logits.size<"kv_sec">();
#else
  return logits.size<"kv_seq">();
#endif
}
