// The targets of a library's kernels, and which kernels a layer has for each.
#pragma once

#include <Halide.h>

#include <algorithm>
#include <cctype>
#include <cstddef>
#include <span>
#include <stdexcept>
#include <string>
#include <vector>

#include "kernel_modules.hpp"

namespace axismask::generator {

// A target with the label that names it in tables: "avx2=x86-64-linux-avx2-...".
struct variant {
  std::string label;
  Halide::Target target;

  explicit variant(const std::string& text)
      : label(text.substr(0, text.find('='))), target(text.substr(text.find('=') + 1)) {
    if (text.find('=') == std::string::npos) throw std::runtime_error("a target is written LABEL=TARGET, not " + text);
  }
};

// The layers of each file that is made of them: an archive has an object for each layer, so that a program takes what
// it calls; or one file has all.
[[nodiscard]] inline std::vector<std::span<const layer_algorithm>> groups_of(std::span<const layer_algorithm> layers,
                                                                             std::size_t files) {
  if (files == 1) return {layers};
  if (files != layers.size()) {
    throw std::runtime_error("the list of AXISMASK_LAYERS has " + std::to_string(layers.size()) +
                             " layers and CMake read " + std::to_string(files) +
                             ": write each into the list, without macros");
  }
  std::vector<std::span<const layer_algorithm>> groups;
  for (std::size_t layer = 0; layer < files; ++layer) groups.push_back(layers.subspan(layer, 1));
  return groups;
}

// Whether a layer's `keep` computes with numbers: with booleans alone there is no width to compute with.
[[nodiscard]] inline bool has_numbers(const layer_type& layer) {
  return std::any_of(layer.operands.begin(), layer.operands.end(),
                     [&](std::size_t index) { return !is_boolean_operand(layer.attributes[index].kind); });
}

// For a processor one kernel for each element width, and one that tells what is kept, and of each, where the layer has
// numbers, one for each width to compute with. For a device one for each element width by elements, which computes with
// 64 bits, and one by words, with 32 bits: where these do not do, elements do.
template <class Visit>
void for_each_kernel(const layer_type& layer, const Halide::Target& target, Visit visit) {
  if (target.has_gpu_feature()) {
    for (const int element_bytes : {2, 4, 8}) {
      visit(kernel_form{operation::mask, element_bytes, 8, false});
      visit(kernel_form{operation::mask, element_bytes, 4, true});
    }
    return;
  }
  for (const int position_bytes : {4, 8}) {
    if (position_bytes == 8 && !has_numbers(layer)) return;
    for (const int element_bytes : {2, 4, 8}) {
      visit(kernel_form{operation::mask, element_bytes, position_bytes, false});
    }
    visit(kernel_form{operation::keep, 1, position_bytes, false});
  }
}

// The name of a kernel's function.
[[nodiscard]] inline std::string symbol(const std::string& library, const layer_type& layer, const std::string& label,
                                        const kernel_form& form) {
  // A composed layer's name has parentheses and commas.
  std::string name(layer.name);
  std::replace_if(name.begin(), name.end(), [](unsigned char letter) { return std::isalnum(letter) == 0; }, '_');
  return "axismask_" + library + "_" + name + "_" + label + (form.operation == operation::keep ? "_keep_e" : "_e") +
         std::to_string(form.element_bytes) + "p" + std::to_string(form.position_bytes) + (form.packs_words ? "w" : "");
}

}  // namespace axismask::generator
