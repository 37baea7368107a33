// `axismask explain`: says which mask each layer of a model has by its config.json, and why.
#include <cstddef>
#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>

#include "axismask/call/empty_row_rule.hpp"
#include "axismask/huggingface.hpp"
#include "axismask/messages/text.hpp"
#include "command/arguments.hpp"
#include "command/print.hpp"
#include "command/subcommands.hpp"
#include "huggingface/certainty.hpp"
#include "spec/spec_text.hpp"

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
  bool is_strict = false;
};

// What the layers' attention has besides its mask, or null.
json scores_json(const huggingface::config& config) {
  json scores = json::parse(attention_json(config.attention));
  if (!scores.is_null()) scores["reason"] = config.attention_reason;
  return scores;
}

void print_as_json(const huggingface::config& config) {
  json warnings = json::array();
  for (const huggingface::warning& one : config.warnings) {
    warnings.push_back({{"id", one.id}, {"where", one.where}, {"what", one.what}});
  }
  json layers = json::array();
  for (const huggingface::layer& layer : config.layers) {
    const auto keys = layer.visible_keys();
    layers.push_back({{"layer", layers.size()},
                      {"attention", name_of(layer.what)},
                      {"visible_keys", keys ? json(*keys) : json()},
                      {"reason", layer.reason}});
  }
  print_json({{"model_type", config.model_type},
              {"rule", config.rule},
              {"certain", config.is_certain()},
              {"warnings", std::move(warnings)},
              {"scores", scores_json(config)},
              {"layers", std::move(layers)}});
}

void print_as_text(const huggingface::config& config) {
  std::cout << on_one_line((config.model_type.empty() ? "no model_type" : config.model_type) + ": " +
                           counted(config.layers.size(), "layer") +
                           (config.is_certain() ? ", by transformers 5.24.0, " : ", a guess by transformers 5.24.0, ") +
                           config.rule)
            << '\n';
  for (std::size_t index = 0; index < config.layers.size(); ++index) {
    const huggingface::layer& layer = config.layers[index];
    std::cout << on_one_line("layer " + std::to_string(index) + ": " + mask_text(layer) + ", because " + layer.reason)
              << '\n';
  }
  if (!config.attention_reason.empty()) std::cout << on_one_line("attention: " + config.attention_reason) << '\n';
  // By the masked value that `import` writes.
  std::cout << "in a softmax, an empty row (a query that sees nothing, such as padding) "
            << softmax_of_empty_row(empty_row_rule::masked, masked_value::lowest()) << '\n';
}

int run_explain(const explain_options& options) {
  const auto config = huggingface::config::load(options.config);
  if (options.is_strict) huggingface::refuse_warnings(config.warnings, "--strict");
  if (options.as_json) {
    print_as_json(config);
  } else {
    print_as_text(config);
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
      {config_argument(options->config), json_argument(options->as_json), strict_argument(options->is_strict)},
      "The rules are those of transformers 5.24.0. What in the file is contradictory or unusual is said on stderr.\n"
      "A map that no rule for this very model type has decided, or that a key may change, is called a guess.\n"
      "Example:\n"
      "  axismask explain config.json",
      [options] { return run_explain(*options); }};
}

}  // namespace axismask::command
