// The Halide generator of the processors' kernels: instantiated for a layer, it makes that layer's mask kernels.
#pragma once

#include <Halide.h>

#include <cstddef>
#include <cstdint>
#include <limits>
#include <set>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "axismask/generator/operands.hpp"
#include "axismask/layer.hpp"

namespace axismask::generator {

// What a schedule needs to know of a kernel.
struct scheduled {
  Halide::Func out;
  std::vector<Halide::Var> axes;
  std::vector<Halide::Expr> dense_cases;  // conditions on strides under which the innermost axis is dense everywhere
  int element_bytes;
  int position_bytes;
};
void schedule_for_cpu(const scheduled& kernel, const Halide::Target& target);

// `position_bytes` is the width of the operands that are integers, parameters aside, and of the arithmetic: 4 is for
// calls whose numbers are small.
//
// out[...] = keep ? logits[...] : masked_out_value, on boxes of 4 axes of any strides. Arrays, in this order:
// logits; the layer's operands in `keep`'s order (side inputs, then parameters, all over the same box, with stride 0
// along each axis that they lack); the masked value's bits; out. Which axis is the queries' and which the keys' is told
// by the strides alone.
template <class Layer>
class mask_generator : public Halide::Generator<mask_generator<Layer>> {
  using base = Halide::Generator<mask_generator<Layer>>;

 public:
  Halide::GeneratorParam<int> element_bytes{"element_bytes", 4};
  Halide::GeneratorParam<int> position_bytes{"position_bytes", 4};

  void configure() {
    const Halide::Type element = Halide::UInt(8 * element_bytes);
    logits_ = base::template add_input<Halide::Buffer<void>>("logits", element, kernel_rank);
    operands_.add_to(*this, position_bytes, kernel_rank);
    masked_ = base::template add_input<Halide::Expr>("masked_out_value_bits", element);
    out_ = base::template add_output<Halide::Buffer<void>>("masked", element, kernel_rank);
  }

  void generate() {
    // The algorithm.
    const std::vector<Halide::Var> at{Halide::Var("axis_0"), Halide::Var("axis_1"), Halide::Var("axis_2"),
                                      Halide::Var("axis_3")};
    const std::vector<Halide::Expr> index(at.begin(), at.end());
    const condition kept = position_bytes == 8 ? operands_.template read_keep<number>(index)
                                               : operands_.template read_keep<narrow_number>(index);
    Halide::Func out("masked_logits");
    out(at) = select(kept.value(), (*logits_)(index), *masked_);
    *out_ = out;

    // The schedule.
    logits_->dim(0).set_stride(Halide::Expr());
    out_->dim(0).set_stride(Halide::Expr());
    operands_.take_any_stride();
    schedule_for_cpu({out, at, dense_cases(), element_bytes, position_bytes}, base::target);
  }

 private:
  // The innermost axis is the keys', the queries' or another. For each, the logits are contiguous along it, the
  // positions that lie along it are too, and everything else does not change.
  std::vector<Halide::Expr> dense_cases() const {
    std::vector<Halide::Expr> cases;
    std::set<std::vector<int>> seen;  // without positions the three are one
    for (const attribute_kind innermost :
         {attribute_kind::kv_positions, attribute_kind::query_positions, attribute_kind::parameter}) {
      Halide::Expr all = logits_->dim(0).stride() == 1 && out_->dim(0).stride() == 1;
      std::vector<int> strides;
      for (std::size_t place = 0; place < operands_.size(); ++place) {
        const attribute_kind kind = operands_.kind(place);
        strides.push_back(kind == attribute_kind::mask || (is_positions(kind) && kind == innermost) ? 1 : 0);
        all = all && operands_.stride(place, 0) == strides.back();
      }
      if (seen.insert(strides).second) cases.push_back(all);
    }
    return cases;
  }

  Halide::GeneratorInput<Halide::Buffer<void>>* logits_ = nullptr;
  operands<Layer> operands_;
  Halide::GeneratorInput<Halide::Expr>* masked_ = nullptr;
  Halide::GeneratorOutput<Halide::Buffer<void>>* out_ = nullptr;
};

}  // namespace axismask::generator
