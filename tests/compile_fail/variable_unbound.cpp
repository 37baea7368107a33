// expect: the variable \"window\" has no value; bind it with bind_variables, or supply it for one call with stateless_call
// expect clang: axismask::text<7>{"window"}>': axismask: a call requires a value for each variable; bind it with bind_variables, or supply it for one call with stateless_call
// A call of a layer whose window has no value yet.
#include <cstdint>

#include "axismask/causal_sliding_window.hpp"
#include "axismask/structure.hpp"

using namespace axismask;

using unbound = ApplyCausalSlidingWindowAttentionMask<variable<"window">>;

auto attend(const named_array<float, axes<"heads", "seq", "kv_seq">>& logits,
            const named_array<std::int32_t, axes<"seq">>& positions) {
  const unbound layer{.masked_out_value = -1e30, .sliding_window_size = {}};
#ifdef AXISMASK_EXPECT_FAIL
  return layer(logits, input<"token_positions">(positions));
#else
  return bind_variables(layer, value<"window">(512))(logits, input<"token_positions">(positions));
#endif
}
