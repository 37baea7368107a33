// The schedules of the mask kernels.
#include <Halide.h>

#include "axismask/generator/mask_generator.hpp"

namespace axismask::generator {
namespace {

Halide::Expr all_of(const std::vector<Halide::Expr>& conditions) {
  Halide::Expr all = Halide::Internal::const_true();
  for (const Halide::Expr& condition : conditions) all = all && condition;
  return all;
}

}  // namespace

// A kernel call is one serial pass over a box: the runtime cuts arrays into boxes and spreads them over threads, since
// it knows their sizes and the caller's threads. Each pass is vectorised along the innermost axis, with dense loads
// where that axis is contiguous and the operands along it are dense or do not change; any other strides take a scalar
// loop.
void schedule_for_cpu(const schedule_inputs& inputs, const Halide::Target& target) {
  Halide::Func out = inputs.out;
  const int lanes = target.natural_vector_size(Halide::UInt(8 * inputs.element_bytes));
  for (const auto* conditions : {&inputs.key_innermost, &inputs.query_innermost, &inputs.other_innermost}) {
    out.specialize(all_of(*conditions)).vectorize(inputs.axes[0], lanes, Halide::TailStrategy::GuardWithIf);
  }
}

}  // namespace axismask::generator
