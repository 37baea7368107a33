// expect: axismask: a layer requires all its numbers, and its window, chunk or the like is missing; give it after the masked value, as in {.masked_out_value = -1e9, .sliding_window_size = 512}
// expect clang: axismask: a layer requires all its numbers, and its window, chunk or the like is missing; give it after the masked value, as in {.masked_out_value = -1e9, .sliding_window_size = 512}
// A layer that is made without its window.
#include <cstdint>

#include "axismask/causal_sliding_window.hpp"

using namespace axismask;

using local = ApplyCausalSlidingWindowAttentionMask<>;

local make([[maybe_unused]] std::int64_t* windows) {
#ifdef AXISMASK_EXPECT_FAIL
  return {.masked_out_value = -1e30};
#else
  return {.masked_out_value = -1e30, .sliding_window_size = 512};
#endif
}
