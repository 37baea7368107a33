// expect: ApplyDocumentAttentionMask(empty_rows): \"keep_self\" compares the positions of queries and keys, and this layer does not take both; give \"masked\" or \"error\", or compose this mask with one that does, such as ApplyCausalAttentionMask
// expect clang: layer_can_have_empty_rows<axismask::empty_row_rule::keep_self, axismask::ApplyDocumentAttentionMask<axismask::text<12>{"segment_ids"}, axismask::text<12>{"segment_ids"}, axismask::text<4>{"seq"}, axismask::text<7>{"kv_seq"}>>': axismask: this rule for empty rows requires an axis of keys, and keep_self one side input with the positions of queries and one with those of keys; take another rule, or compose with a layer that has them
// Rows that keep their own keys, of a layer that knows no positions: ids are none.
#include <cstdint>

#include "axismask/empty_rows.hpp"
#include "axismask/layers.hpp"

using namespace axismask;

auto attend(const named_array<float, axes<"heads", "seq", "kv_seq">>& logits,
            const named_array<std::int32_t, axes<"seq">>& ids) {
  const ApplyDocumentAttentionMask<> layer{.masked_out_value = -1e30};
#ifdef AXISMASK_EXPECT_FAIL
  constexpr empty_row_rule rule = empty_row_rule::keep_self;
#else
  constexpr empty_row_rule rule = empty_row_rule::error;
#endif
  return with_empty_rows<rule>(layer)(logits, input<"segment_ids">(ids));
}
