// The schedules of the mask kernels.
#include <Halide.h>

#include "axismask/generator/mask_generator.hpp"

namespace axismask::generator {

// A kernel call is one serial pass over a box: the runtime cuts arrays into boxes and spreads them over threads, since
// it knows their sizes and the caller's threads. Each pass is vectorised along the innermost axis, with dense loads
// where that axis is contiguous and the operands along it are dense or do not change; any other strides take a scalar
// loop.
void schedule_for_cpu(const scheduled& kernel, const Halide::Target& target) {
  Halide::Func out = kernel.out;
  const int lanes = target.natural_vector_size(Halide::UInt(8 * kernel.element_bytes));
  for (const Halide::Expr& dense : kernel.dense_cases) {
    out.specialize(dense).vectorize(kernel.axes[0], lanes, Halide::TailStrategy::GuardWithIf);
  }
}

}  // namespace axismask::generator
