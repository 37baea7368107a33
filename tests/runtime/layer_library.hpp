// Layers of a test's own program, linked as `axismask_add_layers` links them, with kernels that run a function of the
// test's instead of a mask. So a test runs the runtime's own code on the layer types that it needs.
//
//   constexpr auto kernels = kernels_that(record);
//   const linked_layer layers[] = {{&layer_type_of<with_kernels>, kernels}, {&layer_type_of<without>, {}}};
//   const layer_library library{"mine", layers};
//   AXISMASK_LINKED_LIBRARY const layer_library* const libraries[] = {&library};
//
// Several libraries stand in one such array, in whose order the runtime then sees them.
#pragma once

#include <array>
#include <cstddef>

#include "axismask/linked.hpp"

namespace axismask {

// Kernels of every width for any processor. `run` gets what Halide's argument-vector entry gets, and gives 0 when it
// has succeeded.
constexpr std::array<kernel, 6> kernels_that(int (*run)(void** arguments)) {
  std::array<kernel, 6> all{};
  std::size_t next = 0;
  for (const int element_bytes : {2, 4, 8}) {
    for (const int position_bytes : {4, 8}) {
      kernel& one = all.at(next++);
      one.variant = "test";
      one.target = "any processor";
      one.operation = operation::mask;
      one.element_bytes = element_bytes;
      one.position_bytes = position_bytes;
      one.run = run;
    }
  }
  return all;
}

}  // namespace axismask
