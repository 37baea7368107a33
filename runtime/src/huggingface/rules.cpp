// The rules by which transformers 5.24.0 makes masks from a model's config.json, read in its sources in November 2026
// (github.com/huggingface/transformers, src/transformers). For each family: the configuration class says what absent
// keys are and how `layer_types` is made, and the model's forward which mask a layer gets. The masks themselves are
// masking_utils.py's:
//   create_causal_mask                      k <= q
//   create_sliding_window_causal_mask       q - W < k <= q: W keys
//   create_chunked_causal_mask              k / C == q / C and k <= q, both counted from the row's first token
//   create_bidirectional_mask               all
//   create_bidirectional_sliding_window_mask   abs(q - k) <= W: 2 W + 1 keys
// The first two become the last two where `is_causal` is false. tests/oracle/huggingface_test.py compares each rule
// with the classes, and each mask with those functions.
#include "huggingface/rules.hpp"

#include <algorithm>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <utility>

#include "axismask/messages/error.hpp"
#include "axismask/messages/text.hpp"
#include "spec/json_text.hpp"

namespace axismask::huggingface {

using nlohmann::json;

void throw_wrong_length(const config_reader& config, std::string_view key, std::size_t entries, std::size_t layers) {
  throw error("config-value", config.where(key),
              "it has " + counted(entries, "entry", "entries") + ", and the model has " + counted(layers, "layer"),
              "give one for each of num_hidden_layers");
}

namespace {

// The divisor of a pattern.
std::int64_t divisor(const config_reader& config, const setting& every) {
  if (every.number == 0) {
    throw error("config-value", config.where(every.key), "it is 0, and transformers divides by it",
                "give the number of layers after which the pattern repeats");
  }
  return every.number;
}

// Every n-th layer is full, and the others slide. `first` is what is added to the index.
std::vector<layer_choice> full_layers_of_pattern(config_reader& config, const family& of, std::size_t layers,
                                                 std::int64_t first) {
  const setting every =
      of.pattern_key.empty() ? setting{"", of.pattern, false} : config.whole_number(of.pattern_key, of.pattern);
  const std::int64_t n = divisor(config, every);
  const std::string source = of.pattern_key.empty() ? "the class has no key for the pattern" : every.text();
  std::vector<layer_choice> result;
  for (std::size_t layer = 0; layer < layers; ++layer) {
    const bool is_full = (static_cast<std::int64_t>(layer) + first) % n == 0;
    const std::string index =
        first == 0 ? std::to_string(layer) : "(" + std::to_string(layer) + "+" + std::to_string(first) + ")";
    result.push_back({is_full ? choice::full : choice::sliding,
                      index + " % " + std::to_string(n) + (is_full ? " == 0; " : " != 0; ") + source, every.is_given});
  }
  return result;
}

}  // namespace

std::vector<layer_choice> every_nth_is_full(config_reader& config, const family& of, std::size_t layers) {
  return full_layers_of_pattern(config, of, layers, 1);
}

std::vector<layer_choice> first_of_n_is_full(config_reader& config, const family& of, std::size_t layers) {
  return full_layers_of_pattern(config, of, layers, 0);
}

// Exaone4Config.__post_init__: a window of null makes the pattern 0, and a text such as "LLLG", which its documentation
// describes, is divided by as it is; both raise. The documentation has the last layer full always; the code has not.
std::vector<layer_choice> every_nth_is_full_of_exaone4(config_reader& config, const family& of, std::size_t layers) {
  constexpr std::string_view cure = "give layer_types, an entry for each layer";
  const setting window = config.whole_number_or_null(window_key, of.window);
  if (window.is_null) {
    throw error("config-value", config.where(window_key),
                "it is null, which makes sliding_window_pattern 0, and transformers divides by it", std::string(cure));
  }
  const json* pattern = config.find(of.pattern_key);
  if (pattern != nullptr && pattern->is_string()) {
    throw error("config-value", config.where(of.pattern_key),
                "it is " + in_words(*pattern) +
                    ", which the documentation of Exaone4Config describes and its code cannot divide by",
                std::string(cure));
  }
  std::vector<layer_choice> result = every_nth_is_full(config, of, layers);
  if (result.back().what == choice::sliding) {
    result.back().reason += "; the documentation has the last layer full, the code has not";
  }
  return result;
}

// Qwen2Config, Qwen3Config: a window behind two gates. use_sliding_window opens it, and then it is the layers from
// max_window_layers on that slide, not those before.
std::vector<layer_choice> layers_above_slide(config_reader& config, const family& of, std::size_t layers) {
  const flag gate = config.boolean("use_sliding_window", false);
  const setting window = config.whole_number_or_null(window_key, of.window);
  const setting first = config.whole_number("max_window_layers", 28);
  std::vector<layer_choice> result;
  for (std::size_t layer = 0; layer < layers; ++layer) {
    const bool is_above = static_cast<std::int64_t>(layer) >= first.number;
    if (!gate.value) {
      result.push_back({choice::full, gate.text(), gate.is_given});
    } else if (window.is_null) {
      result.push_back({choice::full, window.text(), window.is_given});
    } else {
      result.push_back({is_above ? choice::sliding : choice::full,
                        std::to_string(layer) + (is_above ? " >= " : " < ") + "max_window_layers; " + first.text() +
                            ", and " + gate.text(),
                        first.is_given});
    }
  }
  return result;
}

namespace {

// no_rope_layers, of which an entry that is not 0 means that the layer has RoPE, in spite of the name.
struct rope_layers {
  std::vector<std::pair<bool, std::string>> has_rope;  // with the reason
  bool is_given;
};

rope_layers read_rope_layers(config_reader& config, std::size_t layers, const json* list) {
  constexpr std::string_view key = "no_rope_layers";
  rope_layers result{{}, list != nullptr};
  if (list != nullptr) {
    for (std::size_t layer = 0; layer < std::min(layers, list->size()); ++layer) {
      const std::int64_t entry = to_whole_number((*list)[layer], config.where(key) + step(layer));
      result.has_rope.emplace_back(entry != 0, "no_rope_layers[" + std::to_string(layer) + "] is " +
                                                   std::to_string(entry) + ", which means that the layer has " +
                                                   (entry != 0 ? "RoPE" : "no RoPE"));
    }
    return result;
  }
  const setting every = config.whole_number("no_rope_layer_interval", 4);
  const std::int64_t n = divisor(config, every);
  result.is_given = every.is_given;
  for (std::size_t layer = 0; layer < layers; ++layer) {
    const bool has_rope = (static_cast<std::int64_t>(layer) + 1) % n != 0;
    result.has_rope.emplace_back(
        has_rope, "(" + std::to_string(layer) + "+1) % " + std::to_string(n) +
                      (has_rope ? " != 0, which gives the layer RoPE; " : " == 0, which gives the layer no RoPE; ") +
                      every.text());
  }
  return result;
}

}  // namespace

// Llama4TextConfig: layers with RoPE see their chunk, those without see everything.
std::vector<layer_choice> layers_with_rope_are_chunked(config_reader& config, const family& of, std::size_t layers) {
  // The class works out its default pattern even where no_rope_layers is there.
  divisor(config, config.whole_number("no_rope_layer_interval", 4));
  const json* list = config.array("no_rope_layers", "whole numbers");
  if (list != nullptr && list->empty()) list = nullptr;
  if (list != nullptr && list->size() != layers) throw_wrong_length(config, "no_rope_layers", list->size(), layers);
  const setting chunk = config.whole_number_or_null(chunk_key, of.window);
  const rope_layers rope = read_rope_layers(config, layers, list);
  std::vector<layer_choice> result;
  for (const auto& [has_rope, reason] : rope.has_rope) {
    if (has_rope && chunk.is_null) {
      result.push_back({choice::full, chunk.text(), chunk.is_given});
    } else {
      result.push_back({has_rope ? choice::chunked : choice::full, reason, rope.is_given});
    }
  }
  return result;
}

// SmolLM3Config: the reverse. Layers without RoPE slide, if use_sliding_window says so.
std::vector<layer_choice> layers_without_rope_slide(config_reader& config, const family& of, std::size_t layers) {
  const flag gate = config.boolean("use_sliding_window", false);
  const setting window = config.whole_number_or_null(window_key, of.window);
  const json* list = config.array("no_rope_layers", "whole numbers");
  if (list != nullptr && list->size() < layers) throw_wrong_length(config, "no_rope_layers", list->size(), layers);
  const rope_layers rope = read_rope_layers(config, layers, list);
  std::vector<layer_choice> result;
  for (const auto& [has_rope, reason] : rope.has_rope) {
    if (!gate.value) {
      result.push_back({choice::full, gate.text(), gate.is_given});
    } else if (window.is_null) {
      result.push_back({choice::full, window.text(), window.is_given});
    } else {
      result.push_back({has_rope ? choice::full : choice::sliding, reason, rope.is_given});
    }
  }
  return result;
}

// MistralModel.forward and its like: one mask for every layer, a window where sliding_window is not null.
std::vector<layer_choice> all_slide_or_none(config_reader& config, const family& of, std::size_t layers) {
  const setting window = config.whole_number_or_null(window_key, of.window);
  // Where the window is a class's default, the reason says so with the window.
  const std::string reason = window.is_null    ? window.text()
                             : window.is_given ? "sliding_window is there, and holds for every layer"
                                               : "an absent sliding_window is not null";
  return {layers, {window.is_null ? choice::full : choice::sliding, reason, window.is_given}};
}

// LlamaModel.forward and its like.
std::vector<layer_choice> all_are_full(config_reader&, const family&, std::size_t layers) {
  return {layers, {choice::full, "the model's code makes one causal mask, for every layer"}};
}

// create_masks_for_generate in masking_utils.py, for a model that is not in the table. The classes that have
// use_sliding_window take the window away where it is false.
std::vector<layer_choice> by_general_rule(config_reader& config, const family&, std::size_t layers) {
  const json* gate = config.find("use_sliding_window");
  const bool is_shut = gate != nullptr && gate->is_boolean() && !gate->get<bool>();
  if (is_shut) config.find("max_window_layers");
  const setting window = config.whole_number_or_null(window_key, std::nullopt);
  if (!window.is_null && !is_shut)
    return {layers, {choice::sliding, "there is no layer_types, and sliding_window is not null"}};
  const setting chunk = config.whole_number_or_null(chunk_key, std::nullopt);
  if (!chunk.is_null) {
    return {layers,
            {choice::chunked, "there is neither layer_types nor sliding_window, and attention_chunk_size is not null"}};
  }
  return {layers,
          {choice::full, is_shut ? "there is no layer_types, and use_sliding_window is false"
                                 : "there is neither layer_types nor sliding_window nor attention_chunk_size"}};
}

}  // namespace axismask::huggingface
