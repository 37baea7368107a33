// Kernels in the making: each form of a layer's kernel as a module of Halide's.
#pragma once

#include <Halide.h>

#include <string>

#include "axismask/generator/layer_algorithm.hpp"
#include "axismask/kernel/kernel.hpp"

namespace axismask::generator {

// What tells the kernels of a layer for one target apart.
struct kernel_form {
  axismask::operation operation;
  int element_bytes;
  int position_bytes;
  bool packs_words;  // for devices: the logits are seen as words of 32 bits (device_generator.cpp)
};

// Makes the module of one kernel, whose function is called `name`.
[[nodiscard]] Halide::Module build_cpu_kernel(const layer_algorithm& layer, const Halide::Target& target,
                                              const std::string& name, const kernel_form& form);
[[nodiscard]] Halide::Module build_device_kernel(const layer_algorithm& layer, const Halide::Target& target,
                                                 const std::string& name, const kernel_form& form);

}  // namespace axismask::generator
