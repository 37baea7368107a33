// expect: tree_unflatten(ApplyCausalSlidingWindowAttentionMask): the value of \"sliding_window_size\" is of another type; give a whole number, count, constant or counts_over
// expect clang: double>': axismask: a leaf requires a value that can stand there; give a number, or an attribute of the same part
// A tree put together with a leaf that cannot stand there.
#include <tuple>

#include "axismask/causal_sliding_window.hpp"
#include "axismask/structure.hpp"

using namespace axismask;

using seed = ApplyCausalSlidingWindowAttentionMask<>;

auto edit(const seed& layer) {
#ifdef AXISMASK_EXPECT_FAIL
  return tree_unflatten(tree_flatten(layer).structure, std::tuple(-1e9, 0.5));
#else
  return tree_unflatten(tree_flatten(layer).structure, std::tuple(-1e9, 512));
#endif
}
