// Generates kernels:
//   kernels  --library NAME --variants LABEL=TARGET --out FILE.o...     every kernel of every layer for one target
//   table    --library NAME --symbol NAME --config HEADER --index FILE.cpp --out FILE.cpp... --variants LABEL=TARGET...
//            the records by which the runtime finds them; the symbol is the library's name with a device's behind it
//   attention        --variants LABEL=TARGET --out FILE.o                  the kernels of attention for one target
//   attention-table  --out FILE.cpp --variants LABEL=TARGET...             the records by which the runtime finds these
//   runtime  --target TARGET --out FILE.o                               Halide's own small runtime
// --out has a file for each layer, or one for all.
#include "axismask/generator/generate.hpp"

#include <iostream>
#include <map>
#include <stdexcept>
#include <string>
#include <vector>

#include "attention_generator.hpp"
#include "attention_table.hpp"
#include "kernel_modules.hpp"
#include "kernel_table.hpp"
#include "variant.hpp"

namespace axismask::generator {
namespace {

// What stands behind each option, up to the next one.
using options = std::map<std::string, std::vector<std::string>>;

const std::string& one_of(const options& given, const std::string& name) { return given.at(name).at(0); }

// Puts the module of one kernel into the module of all.
//
// Halide gives the buffers of a module (a device's code, and where it keeps that code's handle) the same names in every
// module; together in one they need names of their own, or all kernels share the first one's.
//
// And it leaves out the checks of a device kernel's arrays: the runtime has checked them, with names, and they are most
// of what is compiled of such a kernel for the host (OpenCL: 57 s of processor time for all layers with them, 19 s
// without; the object is 4.0 MB in place of 5.8). What a device's allocations and launches report is still checked.
class kernel_linker : public Halide::Internal::IRMutator {
 public:
  explicit kernel_linker(std::string prefix) : prefix_(std::move(prefix)) {}

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

  // A check of an array calls the function that says what is wrong with it; that of a device's function gives its code.
  Halide::Internal::Stmt visit(const Halide::Internal::AssertStmt* check) override {
    Halide::Expr message = check->message;
    while (const auto* let = message.as<Halide::Internal::Let>()) message = let->body;
    const auto* call = message.as<Halide::Internal::Call>();
    if (call == nullptr || !call->name.starts_with("halide_error_")) return IRMutator::visit(check);
    return Halide::Internal::Evaluate::make(0);
  }

  std::string prefix_;
  std::map<std::string, std::string> renamed_;
};

// Sizes are checked by the runtime, with names, before a kernel is called: no bounds queries, and no checks of
// Halide's, which take longer than a small box: 8 x 32 float32 logits are 132 ns with them and 56 without (AVX2).
// Errors that are left come with the call's own context.
Halide::Target unchecked(const Halide::Target& target) {
  return target.with_feature(Halide::Target::NoRuntime)
      .with_feature(Halide::Target::NoBoundsQuery)
      .with_feature(Halide::Target::NoAsserts)
      .with_feature(Halide::Target::UserContext);
}

void write_kernels(std::span<const layer_algorithm> layers, const options& given) {
  const variant one(one_of(given, "--variants"));
  const std::string& library = one_of(given, "--library");
  const std::vector<std::string>& files = given.at("--out");
  Halide::Target target = unchecked(one.target);
  // A device's allocations and launches can fail, and Halide reports that by the same checks.
  if (target.has_gpu_feature()) target = target.without_feature(Halide::Target::NoAsserts);
  const auto groups = groups_of(layers, files.size());
  for (std::size_t file = 0; file < files.size(); ++file) {
    Halide::Module all(library + "_" + one.label, target);
    for (const layer_algorithm& layer : groups[file]) {
      for_each_kernel(*layer.type, target, [&](const kernel_form& form) {
        const std::string function = symbol(library, *layer.type, one.label, form);
        const auto build = target.has_gpu_feature() ? build_device_kernel : build_cpu_kernel;
        kernel_linker(function + "_").add_to(all, build(layer, target, function, form));
      });
    }
    all.compile({{Halide::OutputFileType::object, files[file]}});
  }
}

void write_attention(const options& given) {
  const variant one(one_of(given, "--variants"));
  const Halide::Target target = unchecked(attention_target(one.target));
  Halide::Module all("axismask_attention_" + one.label, target);
  for_each_attention_kernel(target, [&](const std::string& kernel, const attention_builder& build) {
    const std::string function = attention_symbol(one.label, kernel);
    kernel_linker(function + "_").add_to(all, build(function));
  });
  all.compile({{Halide::OutputFileType::object, one_of(given, "--out")}});
}

std::vector<variant> read_variants(const options& given) {
  std::vector<variant> variants;
  const auto found = given.find("--variants");  // there may be none
  if (found == given.end()) return variants;
  for (const std::string& one : found->second) variants.emplace_back(one);
  return variants;
}

table_request read_table_request(const options& given) {
  table_request request{one_of(given, "--library"), one_of(given, "--symbol"), one_of(given, "--config"), false,
                        one_of(given, "--index"),   given.at("--out"),         read_variants(given)};
  request.answers_calls = request.symbol == request.name;
  return request;
}

int report(const char* program, const char* what) {
  std::cerr << "axismask: error[generator] " << program << ": " << what << "; run it by axismask_add_layers in CMake\n";
  return 1;
}

}  // namespace

int run(std::span<const layer_algorithm> layers, int argc, char** argv) {
  try {
    const std::vector<std::string> words(argv + 1, argv + argc);
    if (words.empty()) throw std::runtime_error("say kernels, table, attention, attention-table or runtime");
    options given;
    std::string option;
    for (std::size_t index = 1; index < words.size(); ++index) {
      if (words[index].starts_with("--")) {
        option = words[index];
      } else {
        given[option].push_back(words[index]);
      }
    }
    if (words[0] == "kernels") {
      write_kernels(layers, given);
    } else if (words[0] == "table") {
      write_table(layers, read_table_request(given));
    } else if (words[0] == "attention") {
      write_attention(given);
    } else if (words[0] == "attention-table") {
      write_attention_table(one_of(given, "--out"), read_variants(given));
    } else if (words[0] == "runtime") {
      Halide::compile_standalone_runtime(one_of(given, "--out"), Halide::Target(one_of(given, "--target")));
    } else {
      throw std::runtime_error("say kernels, table, attention, attention-table or runtime, not " + words[0]);
    }
    return 0;
  } catch (const Halide::Error& problem) {  // no std::exception
    return report(argv[0], problem.what());
  } catch (const std::exception& problem) {
    return report(argv[0], problem.what());
  }
}

}  // namespace axismask::generator
