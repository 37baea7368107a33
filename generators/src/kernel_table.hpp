// The table of a library's kernels: C++ that is compiled into the library, by which the runtime finds them.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "axismask/generator/layer_algorithm.hpp"
#include "variant.hpp"

namespace axismask::generator {

struct table_request {
  std::string name;    // the library's
  std::string config;  // the header that declares its layers
  std::string out;     // the file to write
  std::vector<variant> variants;
};

// Throws std::runtime_error when the file cannot be written.
void write_table(std::span<const layer_algorithm> layers, const table_request& request);

}  // namespace axismask::generator
