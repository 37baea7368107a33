// expect: ApplyExplicitAttentionMask(empty_rows): \"error\" is about rows of keys, and this layer has no axis of keys; leave it out, or compose this mask with one that has, such as ApplyCausalAttentionMask
// expect clang: layer_can_have_empty_rows<axismask::empty_row_rule::error, axismask::ApplyExplicitAttentionMask<axismask::text<5>{"mask"}>>': axismask: this rule for empty rows requires an axis of keys, and keep_self one side input with the positions of queries and one with those of keys; take another rule, or compose with a layer that has them
// A rule for empty rows, of a layer that does not say which axis is that of keys.
#include <cstdint>

#include "axismask/empty_rows.hpp"
#include "axismask/layers.hpp"

using namespace axismask;

auto attend(const named_array<float, axes<"heads", "seq", "kv_seq">>& logits,
            const named_array<bool, axes<"seq", "kv_seq">>& visible) {
  const ApplyExplicitAttentionMask<> layer{.masked_out_value = -1e30};
#ifdef AXISMASK_EXPECT_FAIL
  constexpr empty_row_rule rule = empty_row_rule::error;
#else
  constexpr empty_row_rule rule = empty_row_rule::masked;
#endif
  return with_empty_rows<rule>(layer)(logits, input<"mask">(visible));
}
