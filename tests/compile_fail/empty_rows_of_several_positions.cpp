// expect: all(ApplyCausalAttentionMask, ApplySinksAttentionMask)(empty_rows): \"keep_self\" compares one position of each query and key, and here \"token_positions\" and \"slots\" both give them; give all masks of the layer the same side inputs, or the layer \"masked\" or \"error\"
// expect clang: axismask: this rule for empty rows requires an axis of keys, and keep_self one side input with the positions of queries and one with those of keys; take another rule, or compose with a layer that has them
// Rows that keep their own keys, of masks that take the positions of keys from two side inputs.
#include <cstdint>

#include "axismask/empty_rows.hpp"
#include "axismask/layers.hpp"

using namespace axismask;

auto attend(const named_array<float, axes<"heads", "seq", "kv_seq">>& logits,
            const named_array<std::int32_t, axes<"seq">>& positions,
            const named_array<std::int32_t, axes<"seq">>& slots) {
  const ApplyCausalAttentionMask<> causal{.masked_out_value = -1e30};
  const ApplySinksAttentionMask<count, "slots"> sinks{.masked_out_value = -1e30, .sink_count = 4};
#ifdef AXISMASK_EXPECT_FAIL
  constexpr empty_row_rule rule = empty_row_rule::keep_self;
#else
  constexpr empty_row_rule rule = empty_row_rule::error;
#endif
  return with_empty_rows<rule>(causal & sinks)(logits, input<"token_positions">(positions), input<"slots">(slots));
}
