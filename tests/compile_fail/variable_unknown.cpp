// expect: bind_variables(ApplyCausalSlidingWindowAttentionMask): there is no variable \"windows\"; the layer has \"window\" (did you mean \"window\"?); leave it out, or bind it with allow_unused
// expect clang: axismask::text<8>{"windows"}>': axismask: a value requires a variable of that name in the layer; leave it out, or bind it with allow_unused
// A value for a variable that the layer does not have.
#include "axismask/causal_sliding_window.hpp"
#include "axismask/structure.hpp"

using namespace axismask;

using unbound = ApplyCausalSlidingWindowAttentionMask<variable<"window">>;

auto bound(const unbound& layer) {
#ifdef AXISMASK_EXPECT_FAIL
  return bind_variables(layer, value<"windows">(512));
#else
  return bind_variables(layer, allow_unused, value<"windows">(512));
#endif
}
