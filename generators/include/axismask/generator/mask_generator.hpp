// The one Halide generator: instantiated for a layer, it makes that layer's mask kernels.
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

#include "axismask/generator/expression.hpp"
#include "axismask/layer.hpp"

namespace axismask::generator {

// Every array of a kernel has this many axes; the runtime folds or loops over others.
inline constexpr int kernel_rank = 4;

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
    for (const std::size_t index : detail::operand_indices<Layer>) {
      const attribute_record& record = detail::attribute_records<Layer>[index];
      // Numbered, since a composed layer has several attributes of one name.
      const std::string name = std::string(record.name) + "_" + std::to_string(operands_.size());
      operands_.push_back(base::template add_input<Halide::Buffer<void>>(name, type_of(record.part), kernel_rank));
    }
    masked_ = base::template add_input<Halide::Expr>("masked_out_value_bits", element);
    out_ = base::template add_output<Halide::Buffer<void>>("masked", element, kernel_rank);
  }

  void generate() {
    // The algorithm.
    const std::vector<Halide::Var> at{Halide::Var("axis_0"), Halide::Var("axis_1"), Halide::Var("axis_2"),
                                      Halide::Var("axis_3")};
    const std::vector<Halide::Expr> index(at.begin(), at.end());
    const condition kept = position_bytes == 8 ? read_with<number>(index) : read_with<narrow_number>(index);
    Halide::Func out("masked_logits");
    out(at) = select(kept.value(), (*logits_)(index), *masked_);
    *out_ = out;

    // The schedule.
    logits_->dim(0).set_stride(Halide::Expr());
    out_->dim(0).set_stride(Halide::Expr());
    for (auto* operand : operands_) operand->dim(0).set_stride(Halide::Expr());
    schedule_for_cpu({out, at, dense_cases(), element_bytes, position_bytes}, base::target);
  }

 private:
  static role part_of(std::size_t place) {
    return detail::attribute_records<Layer>[detail::operand_indices<Layer>[place]].part;
  }

  // The innermost axis is the keys', the queries' or another. For each, the logits are contiguous along it, the
  // positions that lie along it are too, and everything else does not change.
  std::vector<Halide::Expr> dense_cases() const {
    std::vector<Halide::Expr> cases;
    std::set<std::vector<int>> seen;  // without positions the three are one
    for (const role innermost : {role::kv_positions, role::query_positions, role::parameter}) {
      Halide::Expr all = logits_->dim(0).stride() == 1 && out_->dim(0).stride() == 1;
      std::vector<int> strides;
      for (std::size_t place = 0; place < operands_.size(); ++place) {
        const role part = part_of(place);
        strides.push_back(part == role::mask || (is_positions(part) && part == innermost) ? 1 : 0);
        all = all && operands_[place]->dim(0).stride() == strides.back();
      }
      if (seen.insert(strides).second) cases.push_back(all);
    }
    return cases;
  }

  Halide::Type type_of(role part) const {
    if (part == role::mask) return Halide::UInt(8);
    if (part == role::parameter) return Halide::Int(64);
    return Halide::Int(8 * position_bytes);
  }

  template <class Number>
  condition read_with(const std::vector<Halide::Expr>& index) const {
    return detail::read_keep<Layer, Number, condition>([&]<class T>(std::size_t place, std::type_identity<T>) -> T {
      const Halide::Expr value = (*operands_[place])(index);
      if constexpr (std::is_same_v<T, condition>) {
        return condition(value != 0);
      } else if constexpr (std::is_same_v<T, number>) {
        return number::of(value, std::numeric_limits<std::int64_t>::min(), std::numeric_limits<std::int64_t>::max());
      } else {
        return narrow_number(value);
      }
    });
  }

  Halide::GeneratorInput<Halide::Buffer<void>>* logits_ = nullptr;
  std::vector<Halide::GeneratorInput<Halide::Buffer<void>>*> operands_;
  Halide::GeneratorInput<Halide::Expr>* masked_ = nullptr;
  Halide::GeneratorOutput<Halide::Buffer<void>>* out_ = nullptr;
};

}  // namespace axismask::generator
