// expect: a named array requires each axis once; its axes are \"heads\", \"seq\", \"seq\": rename one of the two that are equal
// expect clang: axismask::axes<axismask::text<6>{"heads"}, axismask::text<4>{"seq"}, axismask::text<4>{"seq"}>>': axismask: a named array requires each axis once; rename one of the two that are equal
// An array with the same axis twice.
#include <cstdint>

#include "axismask/array.hpp"

using namespace axismask;

#ifdef AXISMASK_EXPECT_FAIL
using logits_axes = axes<"heads", "seq", "seq">;
#else
using logits_axes = axes<"heads", "seq", "kv_seq">;
#endif

auto logits_of(std::int64_t heads, std::int64_t tokens) {
  return named_array<float, logits_axes>({heads, tokens, tokens});
}
