// From a Hugging Face model's own config.json to the attention of each of its layers, by the rules that transformers
// 5.24.0 itself applies, and from there to a model spec. src/huggingface/rules.cpp has the rules, with their sources.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace axismask::huggingface {

enum class attention {
  none,                   // the layer has no attention: a state space, linear attention, a convolution
  full,                   // causal
  sliding,                // causal, the last keys only
  chunked,                // causal, within chunks of keys
  bidirectional,          // every key, also those after the query
  bidirectional_sliding,  // the nearest keys to both sides
};

// "full", "sliding", ...: as it stands in `axismask explain --json`.
std::string_view name_of(attention what);

struct layer {
  attention what;
  // sliding: the visible keys, the query's own included. chunked: the keys of a chunk. bidirectional_sliding: the keys
  // to each side, without the query's own. Otherwise 0.
  std::int64_t size;
  // Why, in the terms of the file and of transformers' code: "(5+1) % 6 == 0; sliding_window_pattern is 6".
  std::string reason;

  // The most keys that a query sees, its own included; nothing where there is no limit.
  [[nodiscard]] std::optional<std::int64_t> visible_keys() const;
};

// What a reader of the file should know, though there is an answer. IDs are stable; docs/messages.md lists them.
struct warning {
  std::string id;
  std::string where;  // a JSON pointer into the file, or the file
  std::string what;

  // `axismask: warning[ID] WHERE: what`
  [[nodiscard]] std::string line() const;
};

struct config {
  std::string model_type;  // of the text model, where a file describes several
  std::string rule;        // where in transformers the rule stands
  std::vector<layer> layers;
  std::vector<warning> warnings;

  // Reads a config.json. Throws `error` with the place in the file (a JSON pointer) for what transformers refuses too,
  // and for what this does not know.
  [[nodiscard]] static config load(const std::filesystem::path& file);
  // The same for a text; `source` stands for the file in messages.
  [[nodiscard]] static config parse(std::string_view text, const std::string& source);

  // A model spec with a layer "layers.N" for each layer that has attention. Masked logits are "lowest", because
  // transformers gives them the lowest finite number of the dtype.
  [[nodiscard]] std::string spec() const;
};

}  // namespace axismask::huggingface
