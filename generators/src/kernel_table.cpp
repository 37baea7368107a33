// Writes the table of a library's kernels.
#include "kernel_table.hpp"

#include <array>
#include <cstdint>
#include <fstream>
#include <map>
#include <set>

#include "axismask/declaration/linking.hpp"

namespace axismask::generator {
namespace {

// The features that a processor must have, as the runtime's bits. Features that only steer the compiler ask nothing of
// a processor.
std::array<std::uint64_t, 2> feature_bits(const Halide::Target& target) {
  std::array<std::uint64_t, 2> bits{};
  for (int feature = 0; feature < Halide::Target::FeatureEnd; ++feature) {
    if (target.has_feature(static_cast<Halide::Target::Feature>(feature))) {
      bits.at(static_cast<std::size_t>(feature) / 64) |= std::uint64_t{1} << (feature % 64);
    }
  }
  return bits;
}

// The function of Halide's runtime that gives the device of a target, or nothing for a processor.
std::string device_interface(const Halide::Target& target) {
  using Halide::DeviceAPI;
  const std::map<DeviceAPI, std::string> apis{{DeviceAPI::CUDA, "cuda"},
                                              {DeviceAPI::OpenCL, "opencl"},
                                              {DeviceAPI::Vulkan, "vulkan"},
                                              {DeviceAPI::Metal, "metal"},
                                              {DeviceAPI::D3D12Compute, "d3d12compute"},
                                              {DeviceAPI::WebGPU, "webgpu"}};
  const auto found = apis.find(Halide::get_default_device_api_for_target(target));
  return found == apis.end() ? "" : "halide_" + found->second + "_device_interface";
}

// One entry of a layer's kernels, as C++.
std::string kernel_text(const variant& of, const kernel_form& form, const std::string& function) {
  const auto bits = feature_bits(of.target);
  const std::string device = device_interface(of.target);
  return "    {.variant = \"" + of.label + "\", .target = \"" + of.target.to_string() + "\", .features = {" +
         std::to_string(bits[0]) + "ull, " + std::to_string(bits[1]) +
         "ull}, .vector_bits = " + std::to_string(of.target.vector_bits) +
         ", .operation = axismask::operation::" + (form.operation == operation::keep ? "keep" : "mask") +
         ", .element_bytes = " + std::to_string(form.element_bytes) +
         ", .position_bytes = " + std::to_string(form.position_bytes) +
         ", .packs_words = " + (form.packs_words ? "true" : "false") +
         ", .device = " + (device.empty() ? "nullptr" : device) + ", .run = " + function + "},\n";
}

// The symbols by which calls ask the linker for this library: the name of each layer, and of each mask in a
// composition.
void add_linker_symbols(const layer_type& layer, const std::string& start, std::set<std::string>& symbols) {
  if (layer.parts.empty()) symbols.insert(start + std::string(layer.name));
  for (const layer_type* part : layer.parts) add_linker_symbols(*part, AXISMASK_SYMBOL_OF_PART, symbols);
}

}  // namespace

void write_table(std::span<const layer_algorithm> layers, const table_request& request) {
  std::set<std::string> declarations;
  std::string kernels;
  std::string records;
  std::set<std::string> symbols;
  for (std::size_t index = 0; index < layers.size(); ++index) {
    const layer_type& layer = *layers[index].type;
    const std::string number = std::to_string(index);
    kernels += "constexpr axismask::kernel kernels_" + number + "[] = {\n";
    for (const variant& one : request.variants) {
      const std::string device = device_interface(one.target);
      if (!device.empty()) declarations.insert("const halide_device_interface_t* " + device + "(void);\n");
      for_each_kernel(layer, one.target, [&](const kernel_form& form) {
        const std::string function = symbol(request.name, layer, one.label, form) + "_argv";
        declarations.insert("int " + function + "(void**);\n");
        kernels += kernel_text(one, form, function);
      });
    }
    kernels += "};\n";
    add_linker_symbols(layer, AXISMASK_SYMBOL_OF_LAYER, symbols);
    records += "    {&axismask::layer_type_of<axismask::layer_at<" + number + ", axismask_declared_layers>>, kernels_" +
               number + "},\n";
  }

  std::ofstream out(request.out);
  out << "// The layers and kernels of " << request.name << ". Written by its generator at build time.\n"
      << "#include \"axismask/kernel/kernel.hpp\"\n#include \"" << request.config << "\"\n\nextern \"C\" {\n";
  for (const std::string& declaration : declarations) out << declaration;
  out << "}\n\nnamespace {\n"
      << kernels << "constexpr axismask::linked_layer layers[] = {\n"
      << records << "};\nconstexpr axismask::layer_library library{\"" << request.name
      << "\", layers};\n}  // namespace\n\n"
      << "// Found by the runtime in its section. A program of specs asks the linker for this symbol.\n"
      << "extern \"C\" AXISMASK_LINKED_LIBRARY const axismask::layer_library* const axismask_library_" << request.name
      << " = &library;\n\n"
      << "// Calls ask the linker for these (axismask/declaration/linking.hpp). Weak: two libraries may have one "
         "layer.\n"
      << "extern \"C\" {\n";
  for (const std::string& one : symbols) out << "extern const char " << one << " __attribute__((weak));\n";
  for (const std::string& one : symbols) out << "const char " << one << " = 0;\n";
  out << "}\n";
  if (!out.flush()) throw std::runtime_error("cannot write " + request.out);
}

}  // namespace axismask::generator
