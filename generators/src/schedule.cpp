// The schedules of the mask kernels.
#include <Halide.h>

#include <algorithm>

#include "axismask/generator/mask_generator.hpp"

namespace axismask::generator {

// A kernel call is one serial pass over a box: the runtime cuts arrays into boxes and spreads them over threads, since
// it knows their sizes and the caller's threads. Each pass is vectorised along the innermost axis, with dense loads
// where that axis is contiguous and the operands along it are dense or do not change; any other strides take a scalar
// loop.
void schedule_for_cpu(const scheduled& kernel, const Halide::Target& target) {
  Halide::Func out = kernel.out;
  // A mask of more lanes than one vector of positions has is joined from several. For SVE Halide does that lane by
  // lane, so that there the wider of the two sets the number of lanes.
  const bool sve = target.has_feature(Halide::Target::SVE2) || target.has_feature(Halide::Target::SVE);
  const int bytes = sve ? std::max(kernel.element_bytes, kernel.position_bytes) : kernel.element_bytes;
  const int lanes = target.natural_vector_size(Halide::UInt(8 * bytes));
  for (const Halide::Expr& dense : kernel.dense_cases) {
    out.specialize(dense).vectorize(kernel.axes[0], lanes, Halide::TailStrategy::GuardWithIf);
  }
}

}  // namespace axismask::generator
