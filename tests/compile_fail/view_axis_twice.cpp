// expect: a named array requires each axis once; its axes are \"seq\", \"heads\", \"seq\": rename one of the two that are equal
// expect clang: axismask::axes<axismask::text<4>{"seq"}, axismask::text<6>{"heads"}, axismask::text<4>{"seq"}>>': axismask: a named array requires each axis once; rename one of the two that are equal
// A view with strides and the same axis twice.
#include <cstdint>

#include "axismask/array.hpp"

using namespace axismask;

#ifdef AXISMASK_EXPECT_FAIL
using logits_axes = axes<"seq", "heads", "seq">;
#else
using logits_axes = axes<"seq", "heads", "kv_seq">;
#endif

auto view_of_padded_logits(const float* memory, std::int64_t heads, std::int64_t tokens, std::int64_t row) {
  return named_view<const float, logits_axes>(memory, {tokens, heads, tokens}, {row, tokens * row, 1});
}
