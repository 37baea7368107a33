// The program that generates a library's kernels at build time: `axismask_add_layers` builds and runs it, and a user
// never does. This room is the only one that knows Halide's compiler; it is linked into such programs and into nothing
// else. It knows the dsl, and never the runtime, JSON or any array.
#pragma once

#include <array>
#include <span>

#include "axismask/declare.hpp"
#include "axismask/generator/layer_algorithm.hpp"

namespace axismask::generator {

// The command line of the generator program; generate.cpp says what it takes. Gives the exit status.
int run(std::span<const layer_algorithm> layers, int argc, char** argv);

template <class... Layers>
int run(layer_list<Layers...>, int argc, char** argv) {
  static constexpr std::array<layer_algorithm, sizeof...(Layers)> layers{algorithm_of<Layers>...};
  return run(layers, argc, argv);
}

}  // namespace axismask::generator
