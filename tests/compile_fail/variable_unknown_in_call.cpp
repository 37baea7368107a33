// expect: stateless_call(ApplyCausalSlidingWindowAttentionMask): there is no variable \"size\"; the layer has \"window\"; leave it out, or bind it with allow_unused
// expect clang: axismask::text<5>{"size"}>': axismask: a value requires a variable of that name in the layer; leave it out, or bind it with allow_unused
// several errors
// A value for a variable that the layer does not have, in a call that supplies it.
#include <cstdint>
#include <tuple>

#include "axismask/causal_sliding_window.hpp"
#include "axismask/structure.hpp"

using namespace axismask;

using unbound = ApplyCausalSlidingWindowAttentionMask<variable<"window">>;

auto attend(const named_array<float, axes<"heads", "seq", "kv_seq">>& logits,
            const named_array<std::int32_t, axes<"seq">>& positions) {
  const unbound layer{.masked_out_value = -1e30, .sliding_window_size = {}};
#ifdef AXISMASK_EXPECT_FAIL
  return stateless_call(layer, std::tuple(value<"size">(512)), logits, input<"token_positions">(positions)).first;
#else
  return stateless_call(layer, std::tuple(value<"window">(512)), logits, input<"token_positions">(positions)).first;
#endif
}
