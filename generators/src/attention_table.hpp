// The records of attention's kernels, as C++ that is compiled into the library (axismask/kernel/attention_kernels.hpp).
#pragma once

#include <string>
#include <vector>

#include "variant.hpp"

namespace axismask::generator {

// The name of a kernel's function: `kernel` is what for_each_attention_kernel calls it.
[[nodiscard]] inline std::string attention_symbol(const std::string& label, const std::string& kernel) {
  return "axismask_attention_" + label + "_" + kernel;
}

// Throws std::runtime_error when the file cannot be written.
void write_attention_table(const std::string& path, const std::vector<variant>& variants);

}  // namespace axismask::generator
