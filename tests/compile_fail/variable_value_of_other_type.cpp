// expect: bind_variables(ApplyCausalSlidingWindowAttentionMask): the value of \"window\" is of another type; give a number, or an attribute that can stand in its place
// expect clang: axismask::text<7>{"window"}, double>': axismask: a variable requires a value that can stand in its place; give a number, or an attribute of the same part
// A value that cannot stand in the place of the variable.
#include "axismask/causal_sliding_window.hpp"
#include "axismask/structure.hpp"

using namespace axismask;

using unbound = ApplyCausalSlidingWindowAttentionMask<variable<"window">>;

auto bound(const unbound& layer) {
#ifdef AXISMASK_EXPECT_FAIL
  return bind_variables(layer, value<"window">(0.5));
#else
  return bind_variables(layer, value<"window">(512));
#endif
}
