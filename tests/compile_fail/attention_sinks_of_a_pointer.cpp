// expect: sinks(): it is no array with names for its axes; give a named_view of the memory, with its axes and sizes
// expect clang: word_has_named_axes<axismask::text<6>{"sinks"}, float *>': axismask: sinks(array) and log_sum_exp(array) require an array with names for its axes; give a named_view of the memory
// Sinks of a pointer.
#include <cstdint>

#include "axismask/attention.hpp"
#include "axismask/causal.hpp"

using namespace axismask;

void attend_here(const named_array<float, axes<"heads", "seq", "projection">>& queries,
                 const named_array<float, axes<"kv_seq", "projection">>& keys,
                 const named_array<float, axes<"kv_seq", "projection">>& values,
                 named_array<float, axes<"heads", "seq", "projection">>& out,
                 named_array<float, axes<"heads", "seq">>& more,
                 const named_array<std::int32_t, axes<"seq">>& positions) {
  const ApplyCausalAttentionMask<> layer{.masked_out_value = -1e30};
#ifdef AXISMASK_EXPECT_FAIL
  attend_to(layer, queries, keys, values, out, sinks(more.data()), input<"token_positions">(positions));
#else
  attend_to(layer, queries, keys, values, out, sinks(more), input<"token_positions">(positions));
#endif
}
