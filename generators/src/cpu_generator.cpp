// The Halide generator of the processors' kernels: the algorithm, then the schedule.
#include <Halide.h>

#include <algorithm>
#include <cstddef>
#include <set>
#include <span>
#include <vector>

#include "kernel_modules.hpp"
#include "operands.hpp"

namespace axismask::generator {
namespace {

// What a schedule needs to know of a kernel.
struct cpu_kernel {
  Halide::Func out;
  std::vector<Halide::Var> axes;
  std::vector<Halide::Expr> dense_cases;  // conditions on strides under which the innermost axis is dense everywhere
  int element_bytes;
  int position_bytes;
};

// A kernel call is one serial pass over a box: the runtime cuts arrays into boxes and spreads them over threads, since
// it knows their sizes and the caller's threads. Each pass is vectorised along the innermost axis, with dense loads
// where that axis is contiguous and the operands along it are dense or do not change; any other strides take a scalar
// loop.
void schedule(const cpu_kernel& kernel, const Halide::Target& target) {
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

// out[...] = keep ? logits[...] : masked_out_value, or what is kept by itself, on boxes of any strides. Which axis is
// the queries' and which the keys' is told by the strides alone.
class cpu_generator : public Halide::Generator<cpu_generator> {
 public:
  Halide::GeneratorParam<int> element_bytes{"element_bytes", 4};
  // The width of the operands that are integers, parameters aside, and of the arithmetic: 4 is for calls whose numbers
  // are small.
  Halide::GeneratorParam<int> position_bytes{"position_bytes", 4};

  // To be set before the module is built.
  const layer_algorithm* layer = nullptr;
  axismask::operation operation = axismask::operation::mask;

  void configure() {
    const Halide::Type element = Halide::UInt(8 * element_bytes);
    const int rank = static_cast<int>(kernel_rank);
    for (const argument one : arguments()) {
      switch (one) {
        case argument::logits:
          logits_ = add_input<Halide::Buffer<void>>("logits", element, rank);
          break;
        case argument::operands:
          operands_.add_to(*this, *layer->type, position_bytes, kernel_rank);
          break;
        case argument::masked_bits:
          masked_ = add_input<Halide::Expr>("masked_out_value_bits", element);
          break;
        case argument::out:
        case argument::kept:
          out_ = add_output<Halide::Buffer<void>>("masked", element, rank);
          break;
        case argument::tiles:
        case argument::work:
          break;  // a device's
      }
    }
  }

  void generate() {
    // The algorithm.
    std::vector<Halide::Var> at;
    for (std::size_t axis = 0; axis < kernel_rank; ++axis) at.emplace_back("axis_" + std::to_string(axis));
    const std::vector<Halide::Expr> index(at.begin(), at.end());
    const auto keep = position_bytes == 8 ? layer->keep : layer->narrow_keep;
    Halide::Func out("masked_logits");
    const Halide::Expr is_kept = keep(operands_.at(index)).value();
    out(at) = logits_ == nullptr ? Halide::cast(Halide::UInt(8 * element_bytes), is_kept)
                                 : select(is_kept, (*logits_)(index), *masked_);
    *out_ = out;

    // The schedule.
    if (logits_ != nullptr) logits_->dim(0).set_stride(Halide::Expr());
    out_->dim(0).set_stride(Halide::Expr());
    operands_.take_any_stride();
    schedule({out, at, dense_cases(), element_bytes, position_bytes}, target);
  }

 private:
  [[nodiscard]] std::span<const argument> arguments() const {
    if (operation == axismask::operation::keep) return keep_arguments;
    return cpu_arguments;
  }

  // The innermost axis is the keys', the queries' or another. For each, the logits are contiguous along it, the
  // positions that lie along it are too, and everything else does not change.
  [[nodiscard]] std::vector<Halide::Expr> dense_cases() const {
    std::vector<Halide::Expr> cases;
    std::set<std::vector<int>> seen;  // without positions the three are one
    for (const attribute_kind innermost :
         {attribute_kind::kv_positions, attribute_kind::query_positions, attribute_kind::parameter}) {
      Halide::Expr all = out_->dim(0).stride() == 1;
      if (logits_ != nullptr) all = all && logits_->dim(0).stride() == 1;
      std::vector<int> strides;
      for (std::size_t place = 0; place < operands_.size(); ++place) {
        const attribute_kind kind = operands_.kind(place);
        const bool is_dense = kind == attribute_kind::mask || (is_positions(kind) && kind == innermost);
        strides.push_back(is_dense ? 1 : 0);
        all = all && operands_.stride(place, 0) == strides.back();
      }
      if (seen.insert(strides).second) cases.push_back(all);
    }
    return cases;
  }

  Halide::GeneratorInput<Halide::Buffer<void>>* logits_ = nullptr;
  operands operands_;
  Halide::GeneratorInput<Halide::Expr>* masked_ = nullptr;
  Halide::GeneratorOutput<Halide::Buffer<void>>* out_ = nullptr;
};

}  // namespace

Halide::Module build_cpu_kernel(const layer_algorithm& layer, const Halide::Target& target, const std::string& name,
                                const kernel_form& form) {
  const auto generator = cpu_generator::create(Halide::GeneratorContext(target));
  generator->element_bytes.set(form.element_bytes);
  generator->position_bytes.set(form.position_bytes);
  generator->layer = &layer;
  generator->operation = form.operation;
  return generator->build_module(name);
}

}  // namespace axismask::generator
