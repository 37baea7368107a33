// `axismask import`: makes a model spec from a model's own config.json.
#include <iostream>
#include <memory>
#include <string>

#include "axismask/huggingface.hpp"
#include "axismask/messages/text.hpp"
#include "command/arguments.hpp"
#include "command/print.hpp"
#include "command/subcommands.hpp"
#include "files/new_file.hpp"

namespace axismask::command {
namespace {

struct import_options {
  std::string config;
  std::string out;
};

int run_import(const import_options& options) {
  const auto config = huggingface::config::load(options.config);
  const std::string spec = config.spec();
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
       {"--out", &options->out, "SPEC", "The file for the spec; written whole, or not at all", required}},
      "One layer \"layers.N\" for each layer of the model that has attention, by the rules of transformers 5.24.0.\n"
      "Positions count the tokens of each row; negative ones are padding.\n"
      "Example:\n"
      "  axismask import config.json --out model.json",
      [options] { return run_import(*options); }};
}

}  // namespace axismask::command
