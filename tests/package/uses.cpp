// The DSL's templates in use, for a user's warnings: what is not used shows none.
#include <cstdint>
#include <iostream>
#include <span>

#include "axismask/empty_rows.hpp"
#include "axismask/layers.hpp"
#include "axismask/positions.hpp"
#include "axismask/structure.hpp"
#include "axismask/views.hpp"

namespace axismask {
namespace {

using logits_view = named_view<float, axes<"heads", "seq", "kv_seq">>;
using positions_view = named_view<std::int32_t, axes<"seq">>;

}  // namespace

// Calls of a layer, of a composition and of a layer with a rule for empty rows.
void call(const logits_view& logits, const positions_view& positions) {
  const ApplyCausalSlidingWindowAttentionMask<> local{.masked_out_value = -1, .sliding_window_size = 4};
  const ApplyCausalAttentionMask<> causal{.masked_out_value = -1};
  const auto result = (local & causal)(logits, input<"token_positions">(positions));
  local.apply(call_options{.threads = 1}, result, logits, input<"token_positions">(positions));
  with_empty_rows<empty_row_rule::keep_self>(local).apply_in_place(logits, input<"token_positions">(positions));
}

// Edits of a layer, and its tree.
void edit() {
  const ApplyCausalSlidingWindowAttentionMask<variable<"window">> open{.masked_out_value = -1,
                                                                       .sliding_window_size = {}};
  const auto local = bind_variables(open, value<"window">(4));
  const auto wider = select(local).at<"sliding_window_size">().set(5);
  (void)attributes_dict(wider);
  (void)tree_flatten(wider);
  (void)treescope_color(wider);
}

// Views and positions.
void view(const logits_view& logits, const positions_view& positions, std::span<std::int32_t> slots) {
  std::cout << slice<"heads">(logits, 0) << rename<"seq", "kv_seq">(positions) << logits.size<"seq">();
  (void)any_view(logits);
  positions::consecutive(slots, 0);
  positions::ring cache{slots, 4};
  cache.append(3);
}

}  // namespace axismask
