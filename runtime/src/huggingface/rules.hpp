// From a row of the table of families and the keys of a file to a choice for each layer.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "huggingface/config_reader.hpp"
#include "huggingface/families.hpp"
#include "huggingface/lists.hpp"

namespace axismask::huggingface {

enum class choice { none, full, sliding, chunked };

// What one layer is, before it is known how large the window is.
struct layer_choice {
  choice what;
  std::string reason;
  bool is_by_file = false;   // a key of the file has decided it, and not a class's default
  std::string_view doubt{};  // why positions alone do not say what the layer sees
};

// The choice of a letter of the table.
layer_choice choice_of(const listed& entry, bool is_by_file);

// What the family's class makes where the file has no layer_types: lists under other names, else the cycle; then what
// gates, numbers and an absent window take away.
std::vector<layer_choice> choices_of_family(config_reader& config, const family& of, std::size_t layers);

// create_masks_for_generate in masking_utils.py, for a model that is not in the table. The classes that have
// use_sliding_window take the window away where it is false.
std::vector<layer_choice> choices_of_general_rule(config_reader& config, std::size_t layers);

// The last layer is full, whatever a list says, where the family has it so.
void force_last_layer(const family& of, std::vector<layer_choice>& choices);

}  // namespace axismask::huggingface
