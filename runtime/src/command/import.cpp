// `axismask import`: makes a model spec from a model's own config.json.
#include <iostream>
#include <memory>
#include <string>
#include <vector>

#include "axismask/huggingface.hpp"
#include "axismask/messages/text.hpp"
#include "command/arguments.hpp"
#include "command/print.hpp"
#include "command/subcommands.hpp"
#include "files/new_file.hpp"
#include "huggingface/certainty.hpp"

namespace axismask::command {
namespace {

struct import_options {
  std::string config;
  std::string out;
  bool takes_guess = false;
  bool has_images = false;
  bool is_strict = false;
};

int run_import(const import_options& options) {
  auto config = huggingface::config::load(options.config);
  const auto use = options.has_images ? huggingface::spec_for::text_and_images : huggingface::spec_for::text;
  const std::string spec = config.spec(use);
  if (options.has_images) std::erase_if(config.warnings, [](const auto& one) { return one.id == "config-text-only"; });
  if (options.is_strict) huggingface::refuse_warnings(config.warnings, "--strict");
  if (!options.takes_guess && !config.is_certain(use)) {
    print_warnings(config.warnings);
    huggingface::refuse_guess(config, options.config, "--guess");
  }
  new_file output(options.out, "spec-write");
  output.write(spec.data(), spec.size());
  output.finish();
  print_warnings(config.warnings);
  std::cout << on_one_line((config.model_type.empty() ? "no model_type" : config.model_type) + ": " +
                           counted(config.layers.size(), "layer") + ", written to " + options.out)
            << '\n'
            << std::flush;
  return 0;
}

}  // namespace

subcommand import_subcommand() {
  const auto options = std::make_shared<import_options>();
  return {
      "import",
      "Make a model spec from a Hugging Face model's config.json",
      {config_argument(options->config),
       {"--out", &options->out, "SPEC", "The file for the spec; written whole, or not at all", required},
       {"--images", &options->has_images, "", "Masks for images too, by a side input image_ids; negative for text"},
       {"--guess", &options->takes_guess, "", "Take a map that is a guess, as explain says"},
       strict_argument(options->is_strict)},
      "One layer \"layers.N\" for each layer of the model that has attention, by the rules of transformers 5.24.0.\n"
      "Positions count the tokens of each row; negative ones are padding.\n"
      "Example:\n"
      "  axismask import config.json --out model.json",
      [options] { return run_import(*options); }};
}

}  // namespace axismask::command
