// Prints what the engine's two calls give, or one of them.
#include <cstdio>

#include "engine.hpp"

int main() {
#ifndef ONLY_BY_SPEC
  std::printf("by type: %s\n", masked_by_type().c_str());
#endif
#ifndef ONLY_BY_TYPE
  std::printf("by spec: %s\n", masked_by_spec("causal.json").c_str());
#endif
}
