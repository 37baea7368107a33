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

// One kernel for each element width and, where the layer has numbers, each width to compute with.
template <class Visit>
void for_each_kernel(const layer_kernels& layer, Visit visit) {
  for (const int element_bytes : {2, 4, 8}) {
    for (const int position_bytes : {4, 8}) {
      if (position_bytes == 4 || layer.has_numbers) visit(element_bytes, position_bytes);
    }
  }
}

std::string symbol(const std::string& library, const layer_kernels& layer, const std::string& label, int element_bytes,
                   int position_bytes) {
  // A composed layer's name has parentheses and commas.
  std::string name(layer.name);
  std::replace_if(name.begin(), name.end(), [](unsigned char letter) { return std::isalnum(letter) == 0; }, '_');
  return "axismask_" + library + "_" + name + "_" + label + "_e" + std::to_string(element_bytes) + "p" +
         std::to_string(position_bytes);
}

void write_kernels(const std::vector<layer_kernels>& layers, const options& given) {
  const variant one(given.at("--variant"));
  // Sizes are checked by the runtime, with names, before a kernel is called: no bounds queries, and no checks of
  // Halide's, which take longer than a small box: 8 x 32 float32 logits are 132 ns with them and 56 without (AVX2).
  // Errors that are left come with the call's own context.
  const Halide::Target target = one.target.with_feature(Halide::Target::NoRuntime)
                                    .with_feature(Halide::Target::NoBoundsQuery)
                                    .with_feature(Halide::Target::NoAsserts)
                                    .with_feature(Halide::Target::UserContext);
  Halide::Module all(given.at("--library") + "_" + one.label, target);
  for (const layer_kernels& layer : layers) {
    for_each_kernel(layer, [&](int element_bytes, int position_bytes) {
      const std::string function = symbol(given.at("--library"), layer, one.label, element_bytes, position_bytes);
      const Halide::Module module = layer.build(target, function, element_bytes, position_bytes);
      for (const auto& lowered : module.functions()) all.append(lowered);
      for (const auto& buffer : module.buffers()) all.append(buffer);
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
      for_each_kernel(layer, [&](int element_bytes, int position_bytes) {
        const std::string function = symbol(library, layer, one.label, element_bytes, position_bytes) + "_argv";
        out << "int " << function << "(void**);\n";
        tables += "    {\"" + one.label + "\", \"" + one.target.to_string() + "\", {" + std::to_string(bits[0]) +
                  "ull, " + std::to_string(bits[1]) + "ull}, " + std::to_string(one.target.vector_bits) + ", " +
                  std::to_string(element_bytes) + ", " + std::to_string(position_bytes) + ", " + function + "},\n";
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
