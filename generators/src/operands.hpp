// The operands of a layer's `keep` as inputs of a generator.
#pragma once

#include <Halide.h>

#include <cstddef>
#include <string>
#include <vector>

#include "axismask/kernel/kernel.hpp"
#include "axismask/layer/layer_type.hpp"

namespace axismask::generator {

// Side inputs, then parameters, all over the box of the logits, with stride 0 along each axis that they lack.
class operands {
 public:
  // Adds them to a generator that is being configured. `position_bytes` is the width of those that are integers,
  // parameters aside.
  template <class Generator>
  void add_to(Generator& generator, const layer_type& layer, int position_bytes, std::size_t rank) {
    for (const std::size_t index : layer.operands) {
      const attribute_record& record = layer.attributes[index];
      // Numbered, since a composed layer has several attributes of one name.
      const std::string name = std::string(record.name) + "_" + std::to_string(inputs_.size());
      Halide::Type type = Halide::Int(is_side_input(record.kind) ? 8 * position_bytes : 64);
      if (is_boolean_operand(record.kind)) type = Halide::UInt(8);
      inputs_.push_back(generator.template add_input<Halide::Buffer<void>>(name, type, static_cast<int>(rank)));
      kinds_.push_back(record.kind);
    }
  }

  [[nodiscard]] std::size_t size() const { return inputs_.size(); }
  [[nodiscard]] attribute_kind kind(std::size_t place) const { return kinds_[place]; }
  [[nodiscard]] Halide::Expr stride(std::size_t place, int axis) const { return inputs_[place]->dim(axis).stride(); }

  // Along the innermost axis, too.
  void take_any_stride() {
    for (auto* input : inputs_) input->dim(0).set_stride(Halide::Expr());
  }

  // Their elements at an index of the box.
  [[nodiscard]] std::vector<Halide::Expr> at(const std::vector<Halide::Expr>& index) const {
    std::vector<Halide::Expr> elements;
    for (const auto* input : inputs_) elements.push_back((*input)(index));
    return elements;
  }

 private:
  std::vector<Halide::GeneratorInput<Halide::Buffer<void>>*> inputs_;
  std::vector<attribute_kind> kinds_;
};

}  // namespace axismask::generator
