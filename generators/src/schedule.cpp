// The schedules of the mask kernels.
#include <Halide.h>

#include <algorithm>

#include "axismask/generator/device_generator.hpp"
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

// A tile is a block. The work is the same in a whole call, so that a block decides nothing: each work is a kernel of
// its own, and those that fill and copy load no positions.
void schedule_for_device(const tiled& kernel) {
  Halide::Func out = kernel.out;
  // Nothing comes of the pure definition, but until Halide sees that, it counts as a use of the result by the host.
  out.gpu_single_thread();
  Halide::Stage update = out.update();
  const Halide::RDom& at = kernel.loops;
  update.allow_race_conditions().gpu_threads(at[2], at[3]).gpu_blocks(at[4], at[5]).unroll(at[1]);
  if (kernel.words) update.vectorize(at[0]);
  for (const tile_work work : {tile_work::fill, tile_work::copy}) {
    update.specialize(kernel.work == static_cast<int>(work));
  }
}

}  // namespace axismask::generator
