// `axismask explain`: says which mask each layer of a model has by its config.json, and why.
#include <cstdint>
#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>

#include "axismask/call/empty_row_rule.hpp"
#include "axismask/huggingface.hpp"
#include "axismask/messages/text.hpp"
#include "command/arguments.hpp"
#include "command/print.hpp"
#include "command/subcommands.hpp"

namespace axismask::command {
namespace {

using huggingface::attention;

// What the layer's mask is, in words.
std::string mask_text(const huggingface::layer& layer) {
  const std::string keys = counted(layer.visible_keys().value_or(0), "key");
  switch (layer.what) {
    case attention::none:
      return "no attention";
    case attention::full:
      return "full attention";
    case attention::sliding:
      return "sliding window of " + keys;
    case attention::chunked:
      return "chunks of " + keys;
    case attention::bidirectional:
      return "full attention to both sides";
    case attention::bidirectional_sliding:
      break;
  }
  return "window to both sides of " + keys;
}

struct explain_options {
  std::string config;
  bool as_json = false;
};

int run_explain(const explain_options& options) {
  const auto config = huggingface::config::load(options.config);
  if (options.as_json) {
    json layers = json::array();
    for (const huggingface::layer& layer : config.layers) {
      const auto keys = layer.visible_keys();
      layers.push_back({{"layer", layers.size()},
                        {"attention", name_of(layer.what)},
                        {"visible_keys", keys ? json(*keys) : json()},
                        {"reason", layer.reason}});
    }
    print_json(layers);
  } else {
    std::cout << on_one_line((config.model_type.empty() ? "no model_type" : config.model_type) + ": " +
                             counted(config.layers.size(), "layer") + ", by transformers 5.24.0, " + config.rule)
              << '\n';
    for (std::size_t index = 0; index < config.layers.size(); ++index) {
      const huggingface::layer& layer = config.layers[index];
      std::cout << on_one_line("layer " + std::to_string(index) + ": " + mask_text(layer) + ", because " + layer.reason)
                << '\n';
    }
    // By the masked value that `import` writes.
    std::cout << "in a softmax, an empty row (a query that sees nothing, such as padding) "
              << softmax_of_empty_row(empty_row_rule::masked, masked_value::lowest()) << '\n';
  }
  finish_output();
  print_warnings(config.warnings);
  return 0;
}

}  // namespace

subcommand explain_subcommand() {
  const auto options = std::make_shared<explain_options>();
  return {
      "explain",
      "Say which mask each layer of a Hugging Face model has, and why",
      {config_argument(options->config), json_argument(options->as_json)},
      "The rules are those of transformers 5.24.0. What in the file is contradictory or unusual is said on stderr.\n"
      "Example:\n"
      "  axismask explain config.json",
      [options] { return run_explain(*options); }};
}

}  // namespace axismask::command
