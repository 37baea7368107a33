// From the keys of a config.json to the attention of each layer: layer_types goes first, else the family's rule; then
// the direction, the sizes, and what is to be said of keys that do not do what they seem to.
#include "huggingface/importer.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "axismask/messages/error.hpp"
#include "axismask/messages/text.hpp"
#include "axismask/window.hpp"
#include "huggingface/rules.hpp"
#include "spec/json_text.hpp"

namespace axismask::huggingface {
namespace {

using nlohmann::json;

// More than any model has; a mistake should not fill the memory with layers.
constexpr std::int64_t most_layers = 10'000;

// ALLOWED_ATTN_LAYER_TYPES in configuration_utils.py and the old names that are renamed there, as far as masking_utils
// (LAYER_PATTERN_TO_MASK_FUNCTION_MAPPING) has one mask for them.
constexpr std::array<std::pair<std::string_view, choice>, 9> layer_type_words{{
    {"full_attention", choice::full},
    {"sliding_attention", choice::sliding},
    {"chunked_attention", choice::chunked},
    {"attention", choice::full},  // an old name
    {"hybrid", choice::full},     // attention beside linear attention
    {"linear_attention", choice::none},
    {"mamba", choice::none},  // an old name
    {"conv", choice::none},
    {"moe", choice::none},
}};
// Those whose masks are the model's own affair.
constexpr std::array<std::string_view, 8> other_layer_types{
    "window_attention",  "indexed_attention", "compressed_sparse_attention", "heavily_compressed_attention",
    "minimax_m3_sparse", "hybrid_sliding",    "reference_sliding_attention", "deepseek_sparse_attention",
};

choice read_layer_type(const json& entry, const std::string& where, const family& of) {
  if (!entry.is_string()) throw_wrong_type(where, entry, "a layer's type, such as \"sliding_attention\"");
  const auto& word = entry.get_ref<const std::string&>();
  const auto* found = std::find_if(layer_type_words.begin(), layer_type_words.end(),
                                   [&](const auto& known) { return known.first == word; });
  std::vector<std::string_view> words;
  for (const auto& [known, what] : layer_type_words) words.push_back(known);
  if (found == layer_type_words.end()) {
    const bool is_other = std::count(other_layer_types.begin(), other_layer_types.end(), word) > 0;
    throw error("config-value", where,
                "it is " + in_quotes(word) +
                    (is_other ? ", whose mask the model itself makes, and this program does not know"
                              : ", which transformers does not know" + did_you_mean(word, words).str()),
                "give " + quoted_list(words).str());
  }
  const bool is_llama4 = is(of, "llama4_text");
  const bool has_mask =
      found->second == choice::full || found->second == (is_llama4 ? choice::chunked : choice::sliding);
  if (!is_general(of) && reads_layer_types(of) && (!has_mask || word == "hybrid")) {
    throw error(
        "config-value", where,
        "it is " + in_quotes(word) + ", for which a " + std::string(of.model_type) + " model makes no mask",
        std::string("give \"full_attention\" or ") + (is_llama4 ? "\"chunked_attention\"" : "\"sliding_attention\""));
  }
  return found->second;
}

// A config in the making.
class attention_importer {
 public:
  attention_importer(config_reader& config, const family& of, huggingface::config& result)
      : config_(config), of_(of), result_(result) {}

  void run() {
    refuse_windows_of_single_layers();
    const std::size_t count = read_layer_count();
    choices_ = choose(count);
    if (has_only(choice::none)) {
      throw error("config-value", config_.where(layer_types_key), "no layer has attention", "a mask is of no use here");
    }
    const bool is_bidirectional = read_direction();
    read_sizes();
    for (std::size_t layer = 0; layer < count; ++layer) result_.layers.push_back(make(layer, is_bidirectional));
    warn_of_defaults();
    warn_of_idle_windows();
    warn_of_unread_keys();
  }

 private:
  void warn(std::string id, std::string where, std::string what) {
    result_.warnings.push_back({std::move(id), std::move(where), std::move(what)});
  }

  [[nodiscard]] bool has(choice what) const {
    return std::any_of(choices_.begin(), choices_.end(), [&](const layer_choice& one) { return one.what == what; });
  }

  [[nodiscard]] bool has_only(choice what) const {
    return std::all_of(choices_.begin(), choices_.end(), [&](const layer_choice& one) { return one.what == what; });
  }

  // A newer key: attributes of single layers, which may be windows.
  void refuse_windows_of_single_layers() {
    constexpr std::string_view key = "per_layer_config";
    const json* single = config_.find(key);
    if (single == nullptr || !single->is_structured()) return;
    for (const auto& [layer, attributes] : single->items()) {
      for (const std::string_view size : {window_key, chunk_key}) {
        if (!attributes.is_object() || !attributes.contains(size)) continue;
        throw error("config-value", config_.where(key) + step(std::string_view(layer)) + step(size),
                    "the layer has a window of its own, which this does not read", "write the spec by hand");
      }
    }
  }

  std::size_t read_layer_count() {
    static constexpr std::array<std::string_view, 4> keys{"num_hidden_layers", "n_layer", "n_layers", "num_layers"};
    layers_ = config_.whole_number(keys[0], of_.layers);
    if (is_general(of_) && !layers_.is_given) {
      for (const std::string_view key : keys) {
        if (config_.find(key) != nullptr) layers_ = config_.whole_number(key, 0);
      }
      const json* types = config_.array(layer_types_key, "texts");
      if (!layers_.is_given && types != nullptr)
        layers_ = {layer_types_key, static_cast<std::int64_t>(types->size()), true};
      if (!layers_.is_given) {
        throw error("config-missing-key", config_.where(), "the key \"num_hidden_layers\" is missing",
                    "add it: the number of the model's layers");
      }
    }
    const std::int64_t count = layers_.number;
    if (count < 1 || count > most_layers) {
      throw error("config-value", config_.where(layers_.key), "it is " + std::to_string(count) + " layers",
                  "give the number of the model's layers, from 1 to " + std::to_string(most_layers));
    }
    return static_cast<std::size_t>(count);
  }

  // layer_types goes first; else the family's rule makes them.
  std::vector<layer_choice> choose(std::size_t count) {
    const json* types = config_.array(layer_types_key, "texts");
    if (types == nullptr) return of_.make_layer_types(config_, of_, count);

    if (types->size() != count) {
      if (!layers_.is_given) warn_of_default(layers_);
      throw_wrong_length(config_, layer_types_key, types->size(), count);
    }
    std::vector<layer_choice> given;
    for (std::size_t layer = 0; layer < count; ++layer) {
      const choice what = read_layer_type((*types)[layer], config_.where(layer_types_key) + step(layer), of_);
      given.push_back(
          {what, "layer_types[" + std::to_string(layer) + "] is " + in_quotes(std::string((*types)[layer]))});
    }
    if (!reads_layer_types(of_)) {
      warn("config-unread", config_.where(layer_types_key),
           "a " + std::string(of_.model_type) +
               " model's own code does not read it, and gives every layer the same mask");
      return of_.make_layer_types(config_, of_, count);
    }
    if (!is_general(of_)) compare_with_rule(given);
    return given;
  }

  // layer_types wins; a file whose other keys say something else deserves a word.
  void compare_with_rule(const std::vector<layer_choice>& given) {
    std::vector<layer_choice> made;
    try {
      made = of_.make_layer_types(config_, of_, given.size());
    } catch (const error& problem) {
      // The classes do not look at a pattern that they do not need; at the types of other keys they do.
      if (problem.id() == "config-type" && of_.pattern_key.empty()) throw;
      return;  // the other keys say nothing
    }
    for (std::size_t layer = 0; layer < given.size(); ++layer) {
      if (given[layer].what == made[layer].what || !made[layer].is_by_file) continue;
      warn("config-contradiction", config_.where(layer_types_key) + step(layer),
           "without layer_types, which wins, layer " + std::to_string(layer) + " would be of another type, because " +
               made[layer].reason);
      return;
    }
  }

  // Is the mask open to both sides? Reads what decides it.
  bool read_direction() {
    if (is(of_, "modernbert")) return true;
    if (is(of_, "gemma3_text")) is_gemma3_bidirectional_ = config_.boolean_or_null("use_bidirectional_attention");
    if (is(of_, "gemma2") && config_.boolean_or_null("use_bidirectional_attention")) {
      warn(
          "config-contradiction", config_.where("use_bidirectional_attention"),
          "it is true, and Gemma2Model makes causal masks in spite of it; only attention that is called without a mask "
          "(sdpa, without padding) then sees both sides");
    }
    const json* is_causal = config_.find("is_causal");
    if (is_causal == nullptr) return is_gemma3_bidirectional_;
    if (!is_causal->is_null() && !is_causal->is_boolean()) {
      throw_wrong_type(config_.where("is_causal"), *is_causal, "true or false");
    }
    is_not_causal_ = is_causal->is_null() || !is_causal->get<bool>();
    return is_not_causal_ || is_gemma3_bidirectional_;
  }

  // The sizes that layers need, of whatever name.
  void read_sizes() {
    if (is(of_, "llama4_text") || (is_general(of_) && has(choice::chunked))) {
      chunk_ = check_size(config_.whole_number_or_null(chunk_key, of_.window), choice::chunked);
    }
    if (!is(of_, "llama4_text") && of_.make_layer_types != all_are_full) {
      window_ = check_size(read_window(), choice::sliding);
    }
  }

  setting read_window() {
    if (is(of_, "modernbert")) {
      const setting window = config_.whole_number("local_attention", of_.window.value_or(0));
      // ModernBertConfig.sliding_window is a property, half of local_attention; a file that has the key sets it.
      return config_.find(window_key) == nullptr ? window : config_.whole_number(window_key, 0);
    }
    if (is(of_, "gemma3n_text")) return config_.whole_number(window_key, of_.window.value_or(0));
    if (of_.make_layer_types == layers_above_slide && has(choice::sliding)) {
      const flag gate = config_.boolean("use_sliding_window", false);
      if (!gate.value) {
        throw error("config-value", config_.where(layer_types_key),
                    "it has sliding layers, and there is no window for them, because " + gate.text(),
                    "set use_sliding_window to true, or give only \"full_attention\"");
      }
    }
    return config_.whole_number_or_null(window_key, of_.window);
  }

  [[nodiscard]] setting check_size(const setting& window, choice needed_by) const {
    if (!has(needed_by)) return window;
    if (window.is_null && !window.is_given) {
      throw error("config-missing-key", config_.where(), "the key \"" + std::string(window.key) + "\" is missing",
                  "add it: layer_types has layers that need it");
    }
    if (window.is_null) {
      throw error("config-value", config_.where(window.key), "it is null, and layer_types has layers that need it",
                  "give the number of keys that they see");
    }
    if (window.number < 1) {
      throw error("config-value", config_.where(window.key), "it is " + std::to_string(window.number),
                  "give the number of keys that a token sees, at least 1");
    }
    return window;
  }

  layer make(std::size_t index, bool is_bidirectional) {
    const layer_choice& chosen = choices_[index];
    layer result{attention::none, 0, chosen.reason};
    switch (chosen.what) {
      case choice::none:
        return result;
      case choice::full:
        result.what = is_bidirectional ? attention::bidirectional : attention::full;
        if (is_bidirectional) result.reason += "; " + direction_reason();
        break;
      case choice::chunked:
        result.what = attention::chunked;
        result.size = chunk_.number;
        if (!chunk_.is_given) result.reason += "; " + chunk_.text();
        break;
      case choice::sliding:
        result.what = is_bidirectional ? attention::bidirectional_sliding : attention::sliding;
        if (!window_.is_given) result.reason += "; " + window_.text();
        result.size = is_bidirectional ? side(result.reason) : window::hugging_face(window_.number).value;
        break;
    }
    if (is(of_, "gpt_oss")) result.reason += "; the sinks are learned logits, one a head, and no part of the mask";
    if (is(of_, "phi3") && window_.number == 2047) {
      result.reason += "; 2047 was chosen for code that showed W + 1 keys, transformers shows W";
    }
    return result;
  }

  [[nodiscard]] std::string direction_reason() const {
    if (is(of_, "modernbert")) return "the model is an encoder";
    return is_not_causal_ ? "is_causal is not true" : "use_bidirectional_attention is true";
  }

  // The keys to each side in a window to both, with the reason for their number.
  std::int64_t side(std::string& reason) const {
    const std::int64_t number = window_.number;
    if (is(of_, "modernbert")) {
      const bool is_half = window_.key == window_key;
      reason += is_half ? "; sliding_window is to each side" : "; half of local_attention is to each side";
      return is_half ? number : window::modernbert(number).left.value;
    }
    if (is_gemma3_bidirectional_) {
      // Gemma3TextConfig.__post_init__ rewrites the window, and _bidirectional_window_overlay has abs(q - k) < that.
      const std::int64_t keys = window::hugging_face_gemma3_bidirectional(number).left.value;
      reason += "; use_bidirectional_attention makes the window " + std::to_string(number) + " / 2 + 1";
      if (!is_not_causal_) return keys;
      reason += ", and is_causal is not true, so that the window's end is seen too";
      return window::hugging_face_bidirectional(keys + 1).left.value;
    }
    reason += "; is_causal is not true, and then the window is to each side";
    return window::hugging_face_bidirectional(number).left.value;
  }

  void warn_of_default(const setting& one) {
    warn("config-default", config_.where(), one.text() + "; an absent key is not null");
  }

  void warn_of_defaults() {
    if (!layers_.is_given) warn_of_default(layers_);
    if (has(choice::sliding) && !window_.is_given) warn_of_default(window_);
    if (has(choice::chunked) && !chunk_.is_given) warn_of_default(chunk_);
  }

  // Windows that never hide a key, and gates that open on nothing.
  void warn_of_idle_windows() {
    const json* positions = config_.find("max_position_embeddings");
    for (const auto& [size, kind] : {std::pair(window_, choice::sliding), std::pair(chunk_, choice::chunked)}) {
      if (!has(kind) || positions == nullptr || !positions->is_number()) continue;
      if (static_cast<double>(size.number) < positions->get<double>()) continue;
      warn("config-window", size.is_given ? config_.where(size.key) : config_.where(),
           size.text() + ", and max_position_embeddings " + positions->dump() + ": it hides no key");
    }
    const json* gate = config_.find("use_sliding_window");
    if (gate != nullptr && *gate == true && !has(choice::sliding)) {
      warn("config-contradiction", config_.where("use_sliding_window"),
           "it is true, and no layer slides: " + choices_.back().reason);
    }
    // In Qwen's classes this is an error.
    const bool is_shut = gate == nullptr ? is(of_, "smollm3") : *gate == false;
    if (is_shut && has(choice::sliding)) {
      warn("config-contradiction", config_.where(layer_types_key),
           std::string("it has sliding layers, and use_sliding_window is not true") +
               (is(of_, "smollm3") ? "; transformers' masks slide then, and its flash-attention does not" : ""));
    }
  }

  // Keys that look as if they changed the masks, and do not.
  void warn_of_unread_keys() {
    struct key_that_matters {
      std::string_view name;
      bool makes_layer_types;  // and so does not matter beside them: transformers itself writes both
    };
    static constexpr std::array keys{
        key_that_matters{"sliding_window", false},
        key_that_matters{"sliding_window_size", false},
        key_that_matters{"sliding_window_pattern", true},
        key_that_matters{"_sliding_window_pattern", true},
        key_that_matters{"use_sliding_window", false},
        key_that_matters{"max_window_layers", true},
        key_that_matters{"attention_chunk_size", false},
        key_that_matters{"local_attention", false},
        key_that_matters{"global_attn_every_n_layers", true},
        // Of models whose layers are not all attention.
        key_that_matters{"layers_block_type", true},
        key_that_matters{"block_types", true},
        key_that_matters{"attn_layer_period", true},
        key_that_matters{"full_attention_interval", true},
        key_that_matters{"hybrid_override_pattern", true},
    };
    const bool has_types = config_.array(layer_types_key, "texts") != nullptr;
    for (const auto& [key, makes_layer_types] : keys) {
      if (config_.was_asked(key) || (makes_layer_types && has_types)) continue;
      const json* value = config_.find(key);
      if (value == nullptr || value->is_null() || *value == false) continue;
      // Gemma 2's files have the window under both names.
      if (key == "sliding_window_size" && *value == window_.number) continue;
      warn("config-unread", config_.where(key),
           is_general(of_) ? "the general rule does not read it"
                           : "the code of a " + std::string(of_.model_type) + " model does not read it");
    }
  }

  config_reader& config_;
  const family& of_;
  huggingface::config& result_;
  setting layers_{};
  std::vector<layer_choice> choices_;
  setting window_{};
  setting chunk_{};
  bool is_gemma3_bidirectional_ = false;
  bool is_not_causal_ = false;
};

}  // namespace

void import_attention(config_reader& config, const family& of, huggingface::config& result) {
  attention_importer(config, of, result).run();
}

}  // namespace axismask::huggingface
