// expect: tree_unflatten(ApplyCausalSlidingWindowAttentionMask): the leaves are \"masked_out_value\", \"sliding_window_size\", and these are more or fewer; give one for each
// expect clang: axismask::text<7>{"kv_seq"}>, 1>': axismask: tree_unflatten requires a value for each leaf of the layer; give one for each
// A tree put together with a leaf too few.
#include <tuple>

#include "axismask/causal_sliding_window.hpp"
#include "axismask/structure.hpp"

using namespace axismask;

using seed = ApplyCausalSlidingWindowAttentionMask<>;

auto edit(const seed& layer) {
#ifdef AXISMASK_EXPECT_FAIL
  return tree_unflatten(tree_flatten(layer).structure, std::tuple(-1e9));
#else
  return tree_unflatten(tree_flatten(layer).structure, std::tuple(-1e9, 512));
#endif
}
