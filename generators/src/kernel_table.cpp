// Writes the table of a library's kernels.
#include "kernel_table.hpp"

#include <array>
#include <cstdint>
#include <fstream>
#include <map>
#include <set>
#include <stdexcept>

#include "axismask/declaration/linking.hpp"
#include "table_text.hpp"

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
  const std::string device = device_interface(of.target);
  return "    {" + target_text(of) +
         ", .operation = axismask::operation::" + (form.operation == operation::keep ? "keep" : "mask") +
         ", .element_bytes = " + std::to_string(form.element_bytes) +
         ", .position_bytes = " + std::to_string(form.position_bytes) +
         ", .packs_words = " + (form.packs_words ? "true" : "false") +
         ", .device = " + (device.empty() ? "nullptr" : device) + ", .run = " + function + "},\n";
}

// The symbols by which calls ask the linker for a layer: its name or, of a composition, that of each of its masks.
void add_linker_symbols(const layer_type& layer, const std::string& start, const std::string& end,
                        std::set<std::string>& symbols) {
  if (layer.parts.empty()) symbols.insert(start + std::string(layer.name) + end);
  for (const layer_type* part : layer.parts) add_linker_symbols(*part, start, end, symbols);
}

std::set<std::string> linker_symbols(const layer_type& layer) {
  std::set<std::string> symbols;
  const std::string number = "_" + std::to_string(composition_number(layer.name));
  const bool is_composed = !layer.parts.empty();
  add_linker_symbols(layer, is_composed ? AXISMASK_SYMBOL_OF_PART : AXISMASK_SYMBOL_OF_LAYER, is_composed ? number : "",
                     symbols);
  return symbols;
}

// The name of the pointer in the runtime's section.
std::string name_of_record(const table_request& request, std::size_t file) {
  return "axismask_record_" + request.symbol + "_" + std::to_string(file);
}

// C++ that is put together for one file of the table.
struct table_text {
  std::set<std::string> declarations;
  std::set<std::string> symbols;
  std::string kernels;
  std::string layers;
};

void add_layer(const layer_type& layer, const std::string& number, const table_request& request, table_text& text) {
  std::string kernels;
  for (const variant& one : request.variants) {
    const std::string device = device_interface(one.target);
    if (!device.empty()) text.declarations.insert("const halide_device_interface_t* " + device + "(void);\n");
    for_each_kernel(layer, one.target, [&](const kernel_form& form) {
      const std::string function = symbol(request.name, layer, one.label, form) + "_argv";
      text.declarations.insert("int " + function + "(void**);\n");
      kernels += kernel_text(one, form, function);
    });
  }
  if (!kernels.empty()) {
    text.kernels += "constexpr axismask::kernel kernels_" + number + "[] = {\n" + kernels + "};\n";
  }
  text.layers += "    {&axismask::layer_type_of<axismask::layer_at<" + number + ", axismask_declared_layers>>, " +
                 (kernels.empty() ? "{}" : "kernels_" + number) + "},\n";
  if (request.answers_calls) text.symbols.merge(linker_symbols(layer));
}

void write_file(std::size_t file, const table_text& text, const table_request& request) {
  std::string out = "// Layers and kernels of " + request.name + ". Written by its generator at build time.\n" +
                    "#include \"axismask/kernel/kernel.hpp\"\n#define AXISMASK_LAYERS_ARE_CHECKED\n#include \"" +
                    request.config + "\"\n\nextern \"C\" {\n";
  for (const std::string& declaration : text.declarations) out += declaration;
  out += "}\n\nnamespace {\n" + text.kernels + "constexpr axismask::linked_layer layers[] = {\n" + text.layers +
         "};\nconstexpr axismask::layer_library library{\"" + request.name + "\", layers};\n}  // namespace\n\n" +
         "// Found by the runtime in its section.\n" +
         "extern \"C\" AXISMASK_LINKED_LIBRARY const axismask::layer_library* const " + name_of_record(request, file) +
         " = &library;\n";
  if (!text.symbols.empty()) {
    out +=
        "\n// Calls ask the linker for these (axismask/declaration/linking.hpp). Weak: two libraries may have one "
        "layer.\n";
    out += "extern \"C\" {\n";
    for (const std::string& one : text.symbols) out += "extern const char " + one + " __attribute__((weak));\n";
    for (const std::string& one : text.symbols) out += "const char " + one + " = 0;\n";
    out += "}\n";
  }
  write_text(request.out[file], out);
}

// The object that brings all others with it.
void write_index(const table_request& request) {
  std::string records;
  std::string addresses;
  for (std::size_t file = 0; file < request.out.size(); ++file) {
    const std::string record = name_of_record(request, file);
    records += "extern const axismask::layer_library* const " + record + ";\n";
    addresses += "    &" + record + ",\n";
  }
  // A pointer: model.hpp asks for a symbol of that size.
  const std::string declaration =
      "const axismask::layer_library* const* const* const axismask_library_" + request.symbol;
  write_text(request.index,
             "// The symbol by which a program asks the linker for all of " + request.name +
                 ". Written by its generator.\nnamespace axismask {\nstruct layer_library;\n}\n\nextern \"C\" {\n" +
                 records + "extern " + declaration + ";\n}\n\nnamespace {\n" +
                 "const axismask::layer_library* const* const records[] = {\n" + addresses +
                 "};\n}  // namespace\n\nextern \"C\" {\n" + declaration + " = records;\n}\n");
}

}  // namespace

std::string target_text(const variant& of) {
  const auto bits = feature_bits(of.target);
  return ".variant = \"" + of.label + "\", .target = \"" + of.target.to_string() + "\", .features = {" +
         std::to_string(bits[0]) + "ull, " + std::to_string(bits[1]) +
         "ull}, .vector_bits = " + std::to_string(of.target.vector_bits);
}

void write_text(const std::string& path, const std::string& text) {
  std::ofstream out(path);
  out << text;
  if (!out.flush()) throw std::runtime_error("cannot write " + path);
}

void write_table(std::span<const layer_algorithm> layers, const table_request& request) {
  const auto groups = groups_of(layers, request.out.size());
  std::size_t number = 0;
  for (std::size_t file = 0; file < groups.size(); ++file) {
    table_text text;
    for (const layer_algorithm& layer : groups[file]) add_layer(*layer.type, std::to_string(number++), request, text);
    write_file(file, text, request);
  }
  write_index(request);
}

}  // namespace axismask::generator
