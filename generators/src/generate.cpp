// Generates kernels:
//   kernels  --library NAME --variant LABEL=TARGET --out FILE.o         every kernel of every layer for one target
//   table    --library NAME --config HEADER --out FILE.cpp LABEL=TARGET...   the record by which the runtime finds them
//   runtime  --target TARGET --out FILE.o                               Halide's own small runtime, once a program
#include "axismask/generator/generate.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <cstdint>
#include <fstream>
#include <iostream>
#include <map>
#include <stdexcept>

namespace axismask::generator {
namespace {

using options = std::map<std::string, std::string>;

struct variant {
  std::string label;
  Halide::Target target;

  explicit variant(const std::string& text)
      : label(text.substr(0, text.find('='))), target(text.substr(text.find('=') + 1)) {
    if (text.find('=') == std::string::npos) throw std::runtime_error("a target is written LABEL=TARGET, not " + text);
  }
};

// For a processor one kernel for each element width and, where the layer has numbers, each width to compute with. For a
// device one for each element width, by elements and by words; they compute with 64 bits, since few tiles need it.
template <class Visit>
void for_each_kernel(const layer_kernels& layer, const Halide::Target& target, Visit visit) {
  for (const int element_bytes : {2, 4, 8}) {
    if (target.has_gpu_feature()) {
      visit({element_bytes, 8, false});
      visit({element_bytes, 8, true});
    } else {
      visit({element_bytes, 4, false});
      if (layer.has_numbers) visit({element_bytes, 8, false});
    }
  }
}

std::string symbol(const std::string& library, const layer_kernels& layer, const std::string& label,
                   const kernel_form& form) {
  // A composed layer's name has parentheses and commas.
  std::string name(layer.name);
  std::replace_if(name.begin(), name.end(), [](unsigned char letter) { return std::isalnum(letter) == 0; }, '_');
  return "axismask_" + library + "_" + name + "_" + label + "_e" + std::to_string(form.element_bytes) + "p" +
         std::to_string(form.position_bytes) + (form.words ? "w" : "");
}

// Halide gives the buffers of a module (a device's code, and where it keeps that code's handle) the same names in every
// module; together in one they need names of their own, or all kernels share the first one's.
class names_of_buffers : public Halide::Internal::IRMutator {
 public:
  explicit names_of_buffers(std::string prefix) : prefix_(std::move(prefix)) {}

  void add_to(Halide::Module& all, const Halide::Module& module) {
    for (Halide::Buffer<> buffer : module.buffers()) {
      renamed_[buffer.name() + ".buffer"] = prefix_ + buffer.name() + ".buffer";
      buffer.set_name(prefix_ + buffer.name());
      all.append(buffer);
    }
    for (Halide::Internal::LoweredFunc function : module.functions()) {
      function.body = mutate(function.body);
      all.append(function);
    }
  }

 private:
  using IRMutator::visit;
  Halide::Expr visit(const Halide::Internal::Variable* variable) override {
    const auto found = renamed_.find(variable->name);
    return found == renamed_.end() ? Halide::Expr(variable)
                                   : Halide::Internal::Variable::make(variable->type, found->second, variable->image);
  }

  std::string prefix_;
  std::map<std::string, std::string> renamed_;
};

void write_kernels(const std::vector<layer_kernels>& layers, const options& given) {
  const variant one(given.at("--variant"));
  // Sizes are checked by the runtime, with names, before a kernel is called: no bounds queries, and no checks of
  // Halide's, which take longer than a small box: 8 x 32 float32 logits are 132 ns with them and 56 without (AVX2).
  // Errors that are left come with the call's own context.
  Halide::Target target = one.target.with_feature(Halide::Target::NoRuntime)
                              .with_feature(Halide::Target::NoBoundsQuery)
                              .with_feature(Halide::Target::NoAsserts)
                              .with_feature(Halide::Target::UserContext);
  // A device's allocations and launches can fail, and Halide reports that by the same checks.
  if (target.has_gpu_feature()) target = target.without_feature(Halide::Target::NoAsserts);
  Halide::Module all(given.at("--library") + "_" + one.label, target);
  for (const layer_kernels& layer : layers) {
    for_each_kernel(layer, target, [&](const kernel_form& form) {
      const std::string function = symbol(given.at("--library"), layer, one.label, form);
      names_of_buffers(function + "_").add_to(all, layer.build(target, function, form));
    });
  }
  all.compile({{Halide::OutputFileType::object, given.at("--out")}});
}

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

void write_table(const std::vector<layer_kernels>& layers, const options& given, const std::vector<variant>& variants) {
  const std::string& library = given.at("--library");
  std::ofstream out(given.at("--out"));
  out << "// The layers and kernels of " << library << ". Written by its generator at build time.\n"
      << "#include \"axismask/linked.hpp\"\n#include \"" << given.at("--config") << "\"\n\nextern \"C\" {\n";
  std::string records;
  std::string tables;
  for (std::size_t index = 0; index < layers.size(); ++index) {
    const layer_kernels& layer = layers[index];
    tables += "constexpr axismask::kernel kernels_" + std::to_string(index) + "[] = {\n";
    for (const variant& one : variants) {
      const auto bits = feature_bits(one.target);
      const std::string device = device_interface(one.target);
      if (!device.empty()) out << "const halide_device_interface_t* " << device << "(void);\n";
      for_each_kernel(layer, one.target, [&](const kernel_form& form) {
        const std::string function = symbol(library, layer, one.label, form) + "_argv";
        out << "int " << function << "(void**);\n";
        tables += "    {\"" + one.label + "\", \"" + one.target.to_string() + "\", {" + std::to_string(bits[0]) +
                  "ull, " + std::to_string(bits[1]) + "ull}, " + std::to_string(one.target.vector_bits) + ", " +
                  std::to_string(form.element_bytes) + ", " + std::to_string(form.position_bytes) + ", " +
                  (form.words ? "true, " : "false, ") + (device.empty() ? "nullptr" : device) + ", " + function +
                  "},\n";
      });
    }
    tables += "};\n";
    records += "    {&axismask::layer_type_of<axismask::layer_at<" + std::to_string(index) +
               ", axismask_declared_layers>>, kernels_" + std::to_string(index) + "},\n";
  }
  out << "}\n\nnamespace {\n"
      << tables << "constexpr axismask::linked_layer layers[] = {\n"
      << records << "};\nconstexpr axismask::layer_library library{\"" << library << "\", layers};\n}  // namespace\n\n"
      << "// Pulled in by the linker option that comes with the library, found by the runtime in its section.\n"
      << "extern \"C\" AXISMASK_LINKED_LIBRARY const axismask::layer_library* const axismask_library_" << library
      << " = &library;\n";
  if (!out.flush()) throw std::runtime_error("cannot write " + given.at("--out"));
}

int report(const char* program, const char* what) {
  std::cerr << "axismask: error[generator] " << program << ": " << what << "; run it by axismask_add_layers in CMake\n";
  return 1;
}

}  // namespace

int run(const std::vector<layer_kernels>& layers, int argc, char** argv) {
  try {
    const std::vector<std::string> words(argv + 1, argv + argc);
    if (words.empty()) throw std::runtime_error("say kernels, table or runtime");
    options given;
    std::vector<variant> variants;
    for (std::size_t index = 1; index < words.size(); ++index) {
      if (words[index].starts_with("--") && index + 1 < words.size()) {
        given[words[index]] = words[index + 1];
        ++index;
      } else {
        variants.emplace_back(words[index]);
      }
    }
    if (words[0] == "kernels") {
      write_kernels(layers, given);
    } else if (words[0] == "table") {
      write_table(layers, given, variants);
    } else if (words[0] == "runtime") {
      Halide::compile_standalone_runtime(given.at("--out"), Halide::Target(given.at("--target")));
    } else {
      throw std::runtime_error("say kernels, table or runtime, not " + words[0]);
    }
    return 0;
  } catch (const Halide::Error& problem) {  // no std::exception
    return report(argv[0], problem.what());
  } catch (const std::exception& problem) {
    return report(argv[0], problem.what());
  }
}

}  // namespace axismask::generator
