// expect: axismask: a layer requires its masked value, which is missing; give it first, as in {.masked_out_value = masked_value::lowest()}
// expect clang: axismask: a layer requires its masked value, which is missing; give it first, as in {.masked_out_value = masked_value::lowest()}
// A layer that is made without its masked value.
#include <cstdint>

#include "axismask/causal_sliding_window.hpp"

using namespace axismask;

using local = ApplyCausalSlidingWindowAttentionMask<>;

local make([[maybe_unused]] std::int64_t* windows) {
#ifdef AXISMASK_EXPECT_FAIL
  return {.sliding_window_size = 512};
#else
  return {.masked_out_value = -1e30, .sliding_window_size = 512};
#endif
}
