// expect: keeps<layer>() requires one number for each side input and each parameter of the layer
// expect clang: axismask: keeps<layer>() requires one number for each side input and each parameter of the layer
// A question to the seed's `keep` without its window.
#include "axismask/causal_sliding_window.hpp"

using namespace axismask;

#ifdef AXISMASK_EXPECT_FAIL
static_assert(keeps<ApplyCausalSlidingWindowAttentionMask<>>(5, 3));
#else
static_assert(keeps<ApplyCausalSlidingWindowAttentionMask<>>(5, 3, 4));
#endif
