// The program that generates a library's kernels at build time. `axismask_add_layers` builds and runs it; a user never
// does.
#pragma once

#include <Halide.h>

#include <algorithm>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "axismask/declare.hpp"
#include "axismask/generator/device_generator.hpp"
#include "axismask/generator/mask_generator.hpp"

namespace axismask::generator {

// What tells the kernels of a layer for one target apart.
struct kernel_form {
  int element_bytes;
  int position_bytes;
  bool words;  // for devices: the logits are seen as words of 32 bits (device_generator.hpp)
};

// How to make the module of one kernel of a layer.
struct layer_kernels {
  std::string_view name;
  bool has_numbers;
  std::function<Halide::Module(const Halide::Target&, const std::string& function, const kernel_form&)> build;
};

// The command line of the generator program; see generate.cpp.
int run(const std::vector<layer_kernels>& layers, int argc, char** argv);

template <class Layer>
[[nodiscard]] layer_kernels kernels_of() {
  return {
      layer_type_of<Layer>.name,
      std::any_of(attribute_records<Layer>.begin(), attribute_records<Layer>.end(),
                  [](const attribute_record& record) {
                    return is_positions(record.kind) || record.kind == attribute_kind::integers ||
                           record.kind == attribute_kind::parameter;
                  }),
      [](const Halide::Target& target, const std::string& function, const kernel_form& form) {
        const Halide::GeneratorContext context(target);
        if (target.has_gpu_feature()) {
          const auto generator = device_generator<Layer>::create(context);
          generator->element_bytes.set(form.element_bytes);
          generator->words.set(form.words);
          return generator->build_module(function);
        }
        const auto generator = mask_generator<Layer>::create(context);
        generator->element_bytes.set(form.element_bytes);
        generator->position_bytes.set(form.position_bytes);
        return generator->build_module(function);
      },
  };
}

template <class... Layers>
int run(layer_list<Layers...>, int argc, char** argv) {
  return run({kernels_of<Layers>()...}, argc, argv);
}

}  // namespace axismask::generator
