// Reads a Hugging Face model's config.json, tells the attention of each layer by the rules of transformers 5.24.0, and
// makes a model spec of it. src/huggingface/families.hpp is the table of model types, with their sources.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "axismask/layer_attention.hpp"

namespace axismask::huggingface {

enum class attention {
  none,                   // the layer has no attention: a state space, linear attention, a convolution
  full,                   // causal
  sliding,                // causal, the last keys only
  chunked,                // causal, within chunks of keys
  bidirectional,          // every key, also those after the query
  bidirectional_sliding,  // the nearest keys to both sides
};

// Returns the name of a kind of attention as `axismask explain --json` writes it: "full", "sliding", ...
std::string_view name_of(attention kind);

// The attention of one layer.
struct layer {
  attention what;
  // In keys. sliding: those that are visible, the query's own included. chunked: those of a chunk.
  // bidirectional_sliding: those to each side, without the query's own. Otherwise 0.
  std::int64_t size;
  // Why, in the terms of the file and of transformers' code: "(5+1) % 6 == 0; sliding_window_pattern is 6".
  std::string reason;

  // Returns the most keys that a query sees, its own included; nothing where there is no limit.
  [[nodiscard]] std::optional<std::int64_t> visible_keys() const;
};

// What the user should know about a file that could be read. IDs are stable; docs/messages.md lists them.
struct warning {
  std::string id;
  std::string where;  // a JSON pointer into the file, or the file
  std::string what;
  bool is_doubt = false;  // what it says may change what is masked: the map is a guess

  // Returns the warning as one line: `axismask: warning[ID] WHERE: what`.
  [[nodiscard]] std::string line() const;
};

// How the tokens of an image see each other, besides the map of the layers, in a model that is given images.
enum class image_attention {
  none,            // no images; or they are masked as text is
  every_layer,     // each layer also shows all tokens of the query's own image; a window still holds to the left
  sliding_layers,  // only the layers that slide do
  unknown,         // images are masked in a way that no spec here says
};

// What a spec is for.
enum class spec_for { text, text_and_images };

struct config {
  std::string model_type;  // of the text model, where a file describes several
  std::string rule;        // where in transformers the rule stands
  std::vector<layer> layers;
  std::vector<warning> warnings;
  image_attention images = image_attention::none;
  // The scale and softcap of all layers, where they are not 1 / sqrt(size of a head) and none, and why; sinks are
  // weights, and in no such file.
  layer_attention attention = {};
  std::string attention_reason = {};

  // A rule for this very model type has decided the map, and no warning is a doubt. Else the layers are a guess. With
  // images in the spec, the warning config-text-only is none.
  [[nodiscard]] bool is_certain(spec_for use = spec_for::text) const;

  // Reads a config.json, that of a directory, or stdin for "-". JSON is as Python writes it: NaN, Infinity and keys
  // that are there twice are no mistake where they are not needed. Throws `error`, whose WHERE is a JSON pointer into
  // the file, for what transformers refuses and for what has no mask of positions.
  [[nodiscard]] static config load(const std::filesystem::path& file);
  // Reads the text of a config.json; `source` stands for the file in messages.
  [[nodiscard]] static config parse(std::string_view text, const std::string& source);

  // Returns a model spec, as JSON, with a layer "layers.N" for each layer N that has attention. Masked logits are
  // "lowest", because transformers gives them the lowest finite number of the dtype. With images, layers take the side
  // input "image_ids" along "seq": the number of a token's image, negative for text. Throws `error` config-value where
  // no layer has attention, or images are asked for of a model that has none, or masks them in a way of its own.
  [[nodiscard]] std::string spec(spec_for use = spec_for::text) const;
};

}  // namespace axismask::huggingface
