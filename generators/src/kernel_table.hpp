// The table of a library's kernels: C++ that is compiled into the library, by which the runtime finds them.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "axismask/generator/layer_algorithm.hpp"
#include "variant.hpp"

namespace axismask::generator {

struct table_request {
  std::string name;              // the library's, which kernels and records have
  std::string symbol;            // what the linker is asked for by; another where the kernels are a device's
  std::string config;            // the header that declares its layers
  bool answers_calls;            // of the processor: a call in C++ finds them by the name of its layer
  std::string index;             // the file to write that asks for all others
  std::vector<std::string> out;  // the files to write: one for each layer, or one for all
  std::vector<variant> variants;
};

// Throws std::runtime_error when a file cannot be written.
void write_table(std::span<const layer_algorithm> layers, const table_request& request);

}  // namespace axismask::generator
