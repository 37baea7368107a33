// expect: an array holds float, double, float16, bfloat16, a signed 32- or 64-bit integer or bool; for another type specialise axismask::dtype_of
// expect clang: axismask: an array holds float, double, float16, bfloat16, a signed 32- or 64-bit integer or bool; for another type specialise axismask::dtype_of
// An array of an element type that has no dtype.
#include <cstdint>

#include "axismask/array.hpp"

using namespace axismask;

#ifdef AXISMASK_EXPECT_FAIL
using logit = std::uint16_t;
#else
using logit = float16;
#endif

auto logits_of(std::int64_t heads, std::int64_t tokens) {
  return named_array<logit, axes<"heads", "seq", "kv_seq">>({heads, tokens, tokens});
}
