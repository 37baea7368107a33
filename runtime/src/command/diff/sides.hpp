// The two masks that `axismask diff` compares: layers of specs, or windows as other systems write them.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "axismask/model.hpp"

namespace axismask::command {

struct side {
  std::string option;    // "A"
  std::string argument;  // as it was typed
  any_layer layer;
  bool is_convention;
  std::vector<side_input> inputs;  // those of the given that the layer takes
};

struct two_sides {
  side a;
  side b;
};

// Reads both layers, which have no side inputs yet.
two_sides read_sides(const std::string& a, const std::string& b);

// Gives each side the side inputs that it takes. One that neither takes is an error of A.
void share_inputs(two_sides& sides, std::span<const side_input> given);

// Are any of a side's inputs its positions?
bool has_given_positions(const side& one);

}  // namespace axismask::command
