// The operands of a layer's `keep` as inputs of a generator, and `keep` read with them.
#pragma once

#include <Halide.h>

#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <type_traits>
#include <vector>

#include "axismask/generator/expression.hpp"
#include "axismask/layer/reflection.hpp"

namespace axismask::generator {

// Every array of a kernel has this many axes; the runtime folds or loops over others.
inline constexpr int kernel_rank = 4;
inline constexpr int device_rank = kernel_rank + 1;  // see device_generator.hpp

// Side inputs, then parameters, all over the box of the logits, with stride 0 along each axis that they lack.
template <class Layer>
class operands {
 public:
  // Adds them to a generator that is being configured. `position_bytes` is the width of those that are integers,
  // parameters aside.
  template <class Generator>
  void add_to(Generator& generator, int position_bytes, int rank) {
    for (const std::size_t index : operand_indices<Layer>) {
      const attribute_record& record = attribute_records<Layer>[index];
      // Numbered, since a composed layer has several attributes of one name.
      const std::string name = std::string(record.name) + "_" + std::to_string(inputs_.size());
      Halide::Type type = Halide::Int(8 * position_bytes);
      if (record.kind == attribute_kind::mask) type = Halide::UInt(8);
      if (record.kind == attribute_kind::parameter) type = Halide::Int(64);
      inputs_.push_back(generator.template add_input<Halide::Buffer<void>>(name, type, rank));
    }
  }

  [[nodiscard]] std::size_t size() const { return inputs_.size(); }
  [[nodiscard]] static attribute_kind kind(std::size_t place) {
    return attribute_records<Layer>[operand_indices<Layer>[place]].kind;
  }
  [[nodiscard]] Halide::Expr stride(std::size_t place, int axis) const { return inputs_[place]->dim(axis).stride(); }

  // Along the innermost axis, too.
  void take_any_stride() {
    for (auto* input : inputs_) input->dim(0).set_stride(Halide::Expr());
  }

  template <class Number>
  [[nodiscard]] condition read_keep(const std::vector<Halide::Expr>& index) const {
    return axismask::read_keep<Layer, Number, condition>([&]<class T>(std::size_t place, std::type_identity<T>) -> T {
      const Halide::Expr value = (*inputs_[place])(index);
      if constexpr (std::is_same_v<T, condition>) {
        return condition(value != 0);
      } else if constexpr (std::is_same_v<T, number>) {
        return number::of(value, std::numeric_limits<std::int64_t>::min(), std::numeric_limits<std::int64_t>::max());
      } else {
        return narrow_number(value);
      }
    });
  }

 private:
  std::vector<Halide::GeneratorInput<Halide::Buffer<void>>*> inputs_;
};

}  // namespace axismask::generator
