// The families of models: a line for each model type of transformers whose rule is known.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "huggingface/config_reader.hpp"

namespace axismask::huggingface {

enum class choice { none, full, sliding, chunked };

// What one layer's entry in `layer_types` is, before it is known how large the window is.
struct layer_choice {
  choice what;
  std::string reason;
  bool is_by_file = false;  // a key of the file has decided it, and not a class's default
};

struct family;
using rule = std::vector<layer_choice> (*)(config_reader& config, const family& of, std::size_t layers);

struct family {
  std::string_view model_type;
  std::string_view code;               // after models/, where the class is
  std::int64_t layers;                 // the class default of num_hidden_layers
  std::optional<std::int64_t> window;  // the class default of sliding_window; of attention_chunk_size for Llama 4
  rule make_layer_types;               // what the class does where the file has no layer_types
  // For every_nth_is_full: the key of n, none where n is fixed, and n where the key is absent.
  std::string_view pattern_key{};
  std::int64_t pattern = 0;
};

// The line of a model type, or `general_family` for every other.
const family& find_family(std::string_view model_type);
extern const family general_family;

// A model type and its text model's, for files that describe more than a text model. These classes take text_config for
// that type, whatever its own model_type says.
inline constexpr std::array<std::pair<std::string_view, std::string_view>, 3> composites{{
    {"gemma3", "gemma3_text"},    // Gemma3Config.sub_configs_defaults
    {"gemma3n", "gemma3n_text"},  // Gemma3nConfig.sub_configs_defaults
    {"llama4", "llama4_text"},    // Llama4Config.sub_configs_defaults
}};

bool is(const family& of, std::string_view model_type);
bool is_general(const family& of);

// Does the model's forward look at layer_types? Where not, they are validated and then ignored.
bool reads_layer_types(const family& of);

}  // namespace axismask::huggingface
