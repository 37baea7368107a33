// The kernels of attention as modules of Halide's (axismask/kernel/attention_kernels.hpp says what each does).
#pragma once

#include <Halide.h>

#include <functional>
#include <string>

namespace axismask::generator {

// What a target's kernels are compiled for.
[[nodiscard]] Halide::Target attention_target(const Halide::Target& target);

// How a target's kernels block their loops: 16 accumulators at most for 16 registers, and more where there are 32.
struct attention_blocks {
  int lanes;
  int vectors;  // of queries in a block
  int keys;
  int columns;

  [[nodiscard]] int block() const { return lanes * vectors; }
};
[[nodiscard]] attention_blocks attention_blocks_of(const Halide::Target& target);

// Visits the kernels of a target: visit(name, build). The names are those of the fields of attention_kernels, with the
// number of the stored dtype behind them where there are several.
using attention_builder = std::function<Halide::Module(const std::string& function)>;
using attention_visit = std::function<void(const std::string& name, const attention_builder& build)>;
void for_each_attention_kernel(const Halide::Target& target, const attention_visit& visit);

}  // namespace axismask::generator
