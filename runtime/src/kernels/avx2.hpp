// Loops of the runtime that have a variant for AVX2, chosen as kernels are: when they are called. (The loader would
// choose target_clones of a function, before sanitizers are ready, and where there is no such loader, as with musl,
// they do not link.)
#pragma once

namespace axismask {

#ifdef __x86_64__
#define AXISMASK_FOR_AVX2 __attribute__((target("avx2")))
// Returns whether this processor has it.
[[nodiscard]] inline bool has_avx2() {
  static const bool has = [] {
    __builtin_cpu_init();
    return __builtin_cpu_supports("avx2") != 0;
  }();
  return has;
}
#else
#define AXISMASK_FOR_AVX2
[[nodiscard]] constexpr bool has_avx2() { return false; }
#endif

}  // namespace axismask
