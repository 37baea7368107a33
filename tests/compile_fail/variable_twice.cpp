// expect: bind_variables(ApplyCausalSlidingWindowAttentionMask): the variable \"window\" is given twice; leave one of them out
// expect clang: axismask::text<7>{"window"}>': axismask: each variable requires one value; leave one of them out
// Two values for one variable.
#include "axismask/causal_sliding_window.hpp"
#include "axismask/structure.hpp"

using namespace axismask;

using unbound = ApplyCausalSlidingWindowAttentionMask<variable<"window">>;

auto bound(const unbound& layer) {
#ifdef AXISMASK_EXPECT_FAIL
  return bind_variables(layer, value<"window">(512), value<"window">(1024));
#else
  return bind_variables(layer, value<"window">(512));
#endif
}
