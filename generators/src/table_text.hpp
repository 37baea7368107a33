// What the tables of kernels have in common.
#pragma once

#include <string>

#include "variant.hpp"

namespace axismask::generator {

// The fields that tell a target: .variant, .target, .features and .vector_bits.
[[nodiscard]] std::string target_text(const variant& of);

// Writes a file. Throws std::runtime_error when that fails.
void write_text(const std::string& path, const std::string& text);

}  // namespace axismask::generator
