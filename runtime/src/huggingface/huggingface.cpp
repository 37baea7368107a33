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
#include "axismask/huggingface.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <nlohmann/json.hpp>
#include <set>
#include <span>
#include <utility>

#include "axismask/messages/error.hpp"
#include "axismask/messages/text.hpp"
#include "axismask/window.hpp"
#include "spec/json_text.hpp"
#include "spec/spec_text.hpp"

namespace axismask::huggingface {
namespace {

using nlohmann::json;

constexpr json_file config_file{
    .open_id = "config-open",
    .syntax_id = "config-json",
    .duplicate_key_id = "config-duplicate-key",
    .number_id = "config-value",
    .what = "a model's config.json",
    .empty_cure = "get the model's config.json again",
    .infinity_cure = "Python writes such numbers and JSON does not have them: write null or a number",
    .number_cure = "give one between -1.7976931348623157e308 and 1.7976931348623157e308",
    .has_whole_floats = false,  // transformers refuses 512.0 where it wants a whole number
    .largest = std::size_t{16} << 20,
};

// More than any model has; a mistake should not fill the memory with layers.
constexpr std::int64_t most_layers = 10'000;

constexpr std::string_view layer_types_key = "layer_types";
constexpr std::string_view window_key = "sliding_window";
constexpr std::string_view chunk_key = "attention_chunk_size";

// ----------------------------------------------------------------------------------------------- Reading the file

// A whole number that the file gives, or that is a class's default. Python's None, JSON's null, is no number.
struct setting {
  std::string_view key;
  std::int64_t number;
  bool is_given;
  bool is_null = false;

  [[nodiscard]] std::string text() const {
    const std::string value = !is_null ? std::to_string(number) : is_given ? "null" : "None";
    return std::string(key) + (is_given ? " is " : " was absent, the class default is ") + value;
  }
};

struct flag {
  std::string_view key;
  bool value;
  bool is_given;

  [[nodiscard]] std::string text() const {
    return std::string(key) + (is_given ? " is " : " was absent, the class default is ") + (value ? "true" : "false");
  }
};

// The object of the file that describes the text model. Types are as strict as in transformers' classes, where neither
// "512" nor 512.0 nor true is a whole number.
class reader {
 public:
  reader(const json& object, std::string pointer, std::string source)
      : object_(object), pointer_(std::move(pointer)), source_(std::move(source)) {}

  // The value of a key, or nothing where the key is absent. null is a value.
  const json* find(std::string_view key) {
    asked_.insert(key);
    const auto found = object_.find(key);
    return found == object_.end() ? nullptr : &*found;
  }

  setting whole(std::string_view key, std::int64_t if_absent) {
    const json* value = find(key);
    return value == nullptr ? setting{key, if_absent, false} : setting{key, to_whole(*value, key, ""), true};
  }

  setting whole_or_null(std::string_view key, std::optional<std::int64_t> if_absent) {
    const json* value = find(key);
    if (value == nullptr) return {key, if_absent.value_or(0), false, !if_absent};
    if (value->is_null()) return {key, 0, true, true};
    return {key, to_whole(*value, key, " or null"), true};
  }

  flag boolean(std::string_view key, bool if_absent) {
    const json* value = find(key);
    if (value == nullptr) return {key, if_absent, false};
    if (!value->is_boolean()) throw_wrong_type(where(key), *value, "true or false");
    return {key, value->get<bool>(), true};
  }

  // Where null is as good as false.
  bool boolean_or_null(std::string_view key) {
    const json* value = find(key);
    return value != nullptr && !value->is_null() && boolean(key, false).value;
  }

  // An array, or nothing where it is null or absent.
  const json* array(std::string_view key, std::string_view of_what) {
    const json* value = find(key);
    if (value == nullptr || value->is_null()) return nullptr;
    if (!value->is_array()) throw_wrong_type(where(key), *value, "an array of " + std::string(of_what) + " or null");
    return value;
  }

  [[nodiscard]] bool was_asked(std::string_view key) const { return asked_.contains(key); }
  [[nodiscard]] std::string where(std::string_view key) const { return pointer_ + step(key); }
  // Of the object; the file stands for its whole.
  [[nodiscard]] std::string where() const { return pointer_.empty() ? source_ : pointer_; }

  static std::int64_t to_whole(const json& value, const std::string& place, std::string_view or_what) {
    const std::string wanted = "a whole number" + std::string(or_what);
    if (!value.is_number_integer()) throw_wrong_type(place, value, wanted);
    const bool is_beyond = value.is_number_unsigned()
                               ? value.get<std::uint64_t>() > static_cast<std::uint64_t>(largest_count)
                               : value.get<std::int64_t>() < -largest_count;
    if (is_beyond) {
      throw error("config-value", place, "it is " + value.dump() + ", more than JSON carries exactly",
                  "give at most " + std::to_string(largest_count) + " (2^53 - 1)");
    }
    return value.get<std::int64_t>();
  }

  [[noreturn]] static void throw_wrong_type(const std::string& place, const json& value, std::string_view wanted) {
    throw error("config-type", place, "it is " + in_words(value), "give " + std::string(wanted));
  }

 private:
  [[nodiscard]] std::int64_t to_whole(const json& value, std::string_view key, std::string_view or_what) const {
    return to_whole(value, where(key), or_what);
  }

  const json& object_;
  std::string pointer_;
  std::string source_;
  std::set<std::string_view> asked_;
};

// The divisor of a pattern.
std::int64_t divisor(const reader& config, const setting& every) {
  if (every.number == 0) {
    throw error("config-value", config.where(every.key), "it is 0, and transformers divides by it",
                "give the number of layers after which the pattern repeats");
  }
  return every.number;
}

// ------------------------------------------------------------------------------------------------------- Families

enum class choice { none, full, sliding, chunked };

// What one layer's entry in `layer_types` is, before it is known how large the window is.
struct layer_choice {
  choice what;
  std::string reason;
  bool is_by_file = false;  // a key of the file has decided it, and not a class's default
};

struct family;
using rule = std::vector<layer_choice> (*)(reader& config, const family& of, std::size_t layers);

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

std::string index_text(std::size_t layer) { return std::to_string(layer); }

// Every n-th layer is full, and the others slide. `first` is what is added to the index.
std::vector<layer_choice> full_layers_of_pattern(reader& config, const family& of, std::size_t layers,
                                                 std::int64_t first) {
  const setting every =
      of.pattern_key.empty() ? setting{"", of.pattern, false} : config.whole(of.pattern_key, of.pattern);
  const std::int64_t n = divisor(config, every);
  const std::string source = of.pattern_key.empty() ? "the class has no key for the pattern" : every.text();
  std::vector<layer_choice> result;
  for (std::size_t layer = 0; layer < layers; ++layer) {
    const bool is_full = (static_cast<std::int64_t>(layer) + first) % n == 0;
    const std::string index =
        first == 0 ? index_text(layer) : "(" + index_text(layer) + "+" + std::to_string(first) + ")";
    result.push_back({is_full ? choice::full : choice::sliding,
                      index + " % " + std::to_string(n) + (is_full ? " == 0; " : " != 0; ") + source, every.is_given});
  }
  return result;
}

std::vector<layer_choice> every_nth_is_full(reader& config, const family& of, std::size_t layers) {
  return full_layers_of_pattern(config, of, layers, 1);
}

std::vector<layer_choice> first_of_n_is_full(reader& config, const family& of, std::size_t layers) {
  return full_layers_of_pattern(config, of, layers, 0);
}

// Exaone4Config.__post_init__: a window of null makes the pattern 0, and a text such as "LLLG", which its documentation
// describes, is divided by as it is; both raise. The documentation has the last layer full always; the code has not.
std::vector<layer_choice> every_nth_is_full_of_exaone4(reader& config, const family& of, std::size_t layers) {
  constexpr std::string_view cure = "give layer_types, an entry for each layer";
  const setting window = config.whole_or_null(window_key, of.window);
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
std::vector<layer_choice> layers_above_slide(reader& config, const family& of, std::size_t layers) {
  const flag gate = config.boolean("use_sliding_window", false);
  const setting window = config.whole_or_null(window_key, of.window);
  const setting first = config.whole("max_window_layers", 28);
  std::vector<layer_choice> result;
  for (std::size_t layer = 0; layer < layers; ++layer) {
    const bool is_above = static_cast<std::int64_t>(layer) >= first.number;
    if (!gate.value) {
      result.push_back({choice::full, gate.text(), gate.is_given});
    } else if (window.is_null) {
      result.push_back({choice::full, window.text(), window.is_given});
    } else {
      result.push_back({is_above ? choice::sliding : choice::full,
                        index_text(layer) + (is_above ? " >= " : " < ") + "max_window_layers; " + first.text() +
                            ", and " + gate.text(),
                        first.is_given});
    }
  }
  return result;
}

// no_rope_layers, of which an entry that is not 0 means that the layer has RoPE, in spite of the name.
struct rope_layers {
  std::vector<std::pair<bool, std::string>> has_rope;  // with the reason
  bool is_given;
};

rope_layers read_rope_layers(reader& config, std::size_t layers, const json* list) {
  constexpr std::string_view key = "no_rope_layers";
  rope_layers result{{}, list != nullptr};
  if (list != nullptr) {
    for (std::size_t layer = 0; layer < std::min(layers, list->size()); ++layer) {
      const std::int64_t entry = reader::to_whole((*list)[layer], config.where(key) + step(layer), "");
      result.has_rope.emplace_back(entry != 0, "no_rope_layers[" + index_text(layer) + "] is " + std::to_string(entry) +
                                                   ", which means that the layer has " +
                                                   (entry != 0 ? "RoPE" : "no RoPE"));
    }
    return result;
  }
  const setting every = config.whole("no_rope_layer_interval", 4);
  const std::int64_t n = divisor(config, every);
  result.is_given = every.is_given;
  for (std::size_t layer = 0; layer < layers; ++layer) {
    const bool has_rope = (static_cast<std::int64_t>(layer) + 1) % n != 0;
    result.has_rope.emplace_back(
        has_rope, "(" + index_text(layer) + "+1) % " + std::to_string(n) +
                      (has_rope ? " != 0, which gives the layer RoPE; " : " == 0, which gives the layer no RoPE; ") +
                      every.text());
  }
  return result;
}

[[noreturn]] void throw_wrong_length(const reader& config, std::string_view key, std::size_t entries,
                                     std::size_t layers) {
  throw error("config-value", config.where(key),
              "it has " + std::to_string(entries) + (entries == 1 ? " entry" : " entries") + ", and the model has " +
                  std::to_string(layers) + (layers == 1 ? " layer" : " layers"),
              "give one for each of num_hidden_layers");
}

// Llama4TextConfig: layers with RoPE see their chunk, those without see everything.
std::vector<layer_choice> layers_with_rope_are_chunked(reader& config, const family& of, std::size_t layers) {
  // The class works out its default pattern even where no_rope_layers is there.
  divisor(config, config.whole("no_rope_layer_interval", 4));
  const json* list = config.array("no_rope_layers", "whole numbers");
  if (list != nullptr && list->empty()) list = nullptr;
  if (list != nullptr && list->size() != layers) throw_wrong_length(config, "no_rope_layers", list->size(), layers);
  const setting chunk = config.whole_or_null(chunk_key, of.window);
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
std::vector<layer_choice> layers_without_rope_slide(reader& config, const family& of, std::size_t layers) {
  const flag gate = config.boolean("use_sliding_window", false);
  const setting window = config.whole_or_null(window_key, of.window);
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
std::vector<layer_choice> all_slide_or_none(reader& config, const family& of, std::size_t layers) {
  const setting window = config.whole_or_null(window_key, of.window);
  // Where the window is a class's default, the reason says so with the window.
  const std::string reason = window.is_null    ? window.text()
                             : window.is_given ? "sliding_window is there, and holds for every layer"
                                               : "an absent sliding_window is not null";
  return {layers, {window.is_null ? choice::full : choice::sliding, reason, window.is_given}};
}

// LlamaModel.forward and its like.
std::vector<layer_choice> all_are_full(reader&, const family&, std::size_t layers) {
  return {layers, {choice::full, "the model's code makes one causal mask, for every layer"}};
}

// create_masks_for_generate in masking_utils.py, for a model that is not in the table. The classes that have
// use_sliding_window take the window away where it is false.
std::vector<layer_choice> by_general_rule(reader& config, const family&, std::size_t layers) {
  const json* gate = config.find("use_sliding_window");
  const bool is_shut = gate != nullptr && gate->is_boolean() && !gate->get<bool>();
  if (is_shut) config.find("max_window_layers");
  const setting window = config.whole_or_null(window_key, std::nullopt);
  if (!window.is_null && !is_shut)
    return {layers, {choice::sliding, "there is no layer_types, and sliding_window is not null"}};
  const setting chunk = config.whole_or_null(chunk_key, std::nullopt);
  if (!chunk.is_null) {
    return {layers,
            {choice::chunked, "there is neither layer_types nor sliding_window, and attention_chunk_size is not null"}};
  }
  return {layers,
          {choice::full, is_shut ? "there is no layer_types, and use_sliding_window is false"
                                 : "there is neither layer_types nor sliding_window nor attention_chunk_size"}};
}

// A model type and its text model's, for files that describe more than a text model. These classes take text_config for
// that type, whatever its own model_type says.
constexpr std::array<std::pair<std::string_view, std::string_view>, 3> composites{{
    {"gemma3", "gemma3_text"},    // Gemma3Config.sub_configs_defaults
    {"gemma3n", "gemma3n_text"},  // Gemma3nConfig.sub_configs_defaults
    {"llama4", "llama4_text"},    // Llama4Config.sub_configs_defaults
}};

constexpr std::array families{
    family{"cohere2", "cohere2/configuration_cohere2.py, Cohere2Config", 40, 4096, every_nth_is_full,
           "sliding_window_pattern", 4},
    family{"exaone4", "exaone4/configuration_exaone4.py, Exaone4Config", 32, 4096, every_nth_is_full_of_exaone4,
           "sliding_window_pattern", 4},
    family{"gemma2", "gemma2/configuration_gemma2.py, Gemma2Config", 26, 4096, every_nth_is_full, "", 2},
    family{"gemma3_text", "gemma3/configuration_gemma3.py, Gemma3TextConfig", 26, 4096, every_nth_is_full,
           "sliding_window_pattern", 6},
    family{"gemma3n_text", "gemma3n/configuration_gemma3n.py, Gemma3nTextConfig", 35, 512, every_nth_is_full, "", 5},
    family{"gpt_oss", "gpt_oss/configuration_gpt_oss.py, GptOssConfig", 36, 128, every_nth_is_full, "", 2},
    family{"llama", "llama/modeling_llama.py, LlamaModel", 32, std::nullopt, all_are_full},
    family{"llama4_text", "llama4/configuration_llama4.py, Llama4TextConfig", 48, 8192, layers_with_rope_are_chunked},
    family{"mistral", "mistral/modeling_mistral.py, MistralModel", 32, 4096, all_slide_or_none},
    family{"mixtral", "mixtral/modeling_mixtral.py, MixtralModel", 32, std::nullopt, all_slide_or_none},
    family{"modernbert", "modernbert/configuration_modernbert.py, ModernBertConfig", 22, 128, first_of_n_is_full,
           "global_attn_every_n_layers", 3},
    family{"olmo2", "olmo2/modeling_olmo2.py, Olmo2Model", 32, std::nullopt, all_are_full},
    family{"olmo3", "olmo3/configuration_olmo3.py, Olmo3Config", 32, 4096, every_nth_is_full, "", 4},
    family{"phi3", "phi3/modeling_phi3.py, Phi3Model", 32, std::nullopt, all_slide_or_none},
    family{"qwen2", "qwen2/configuration_qwen2.py, Qwen2Config", 32, 4096, layers_above_slide},
    family{"qwen3", "qwen3/configuration_qwen3.py, Qwen3Config", 32, 4096, layers_above_slide},
    family{"smollm3", "smollm3/configuration_smollm3.py, SmolLM3Config", 36, std::nullopt, layers_without_rope_slide},
    family{"starcoder2", "starcoder2/modeling_starcoder2.py, Starcoder2Model", 30, std::nullopt, all_slide_or_none},
};

// For every other model.
constexpr family general{"", "", 0, std::nullopt, by_general_rule};

bool is(const family& of, std::string_view model_type) { return of.model_type == model_type; }
bool is_general(const family& of) { return is(of, ""); }

// Does the model's forward look at layer_types? Where not, they are validated and then ignored.
bool reads_layer_types(const family& of) {
  return of.make_layer_types != all_slide_or_none && of.make_layer_types != all_are_full;
}

// ---------------------------------------------------------------------------------------------------- layer_types

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
  if (!entry.is_string()) reader::throw_wrong_type(where, entry, "a layer's type, such as \"sliding_attention\"");
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

// -------------------------------------------------------------------------------------------------- Making layers

// A config in the making.
class import {
 public:
  import(reader& config, const family& of, huggingface::config& result) :config_(config), of_(of), result_(result) {}

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
    layers_ = config_.whole(keys[0], of_.layers);
    if (is_general(of_) && !layers_.is_given) {
      for (const std::string_view key : keys) {
        if (config_.find(key) != nullptr) layers_ = config_.whole(key, 0);
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
      given.push_back({what, "layer_types[" + index_text(layer) + "] is " + in_quotes(std::string((*types)[layer]))});
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
           "without layer_types, which wins, layer " + index_text(layer) + " would be of another type, because " +
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
      reader::throw_wrong_type(config_.where("is_causal"), *is_causal, "true or false");
    }
    is_not_causal_ = is_causal->is_null() || !is_causal->get<bool>();
    return is_not_causal_ || is_gemma3_bidirectional_;
  }

  // The sizes that layers need, of whatever name.
  void read_sizes() {
    if (is(of_, "llama4_text") || (is_general(of_) && has(choice::chunked))) {
      chunk_ = check_size(config_.whole_or_null(chunk_key, of_.window), choice::chunked);
    }
    if (!is(of_, "llama4_text") && of_.make_layer_types != all_are_full) {
      window_ = check_size(read_window(), choice::sliding);
    }
  }

  setting read_window() {
    if (is(of_, "modernbert")) {
      const setting window = config_.whole("local_attention", of_.window.value_or(0));
      // ModernBertConfig.sliding_window is a property, half of local_attention; a file that has the key sets it.
      return config_.find(window_key) == nullptr ? window : config_.whole(window_key, 0);
    }
    if (is(of_, "gemma3n_text")) return config_.whole(window_key, of_.window.value_or(0));
    if (of_.make_layer_types == layers_above_slide && has(choice::sliding)) {
      const flag gate = config_.boolean("use_sliding_window", false);
      if (!gate.value) {
        throw error("config-value", config_.where(layer_types_key),
                    "it has sliding layers, and there is no window for them, because " + gate.text(),
                    "set use_sliding_window to true, or give only \"full_attention\"");
      }
    }
    return config_.whole_or_null(window_key, of_.window);
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

  reader& config_;
  const family& of_;
  huggingface::config& result_;
  setting layers_{};
  std::vector<layer_choice> choices_;
  setting window_{};
  setting chunk_{};
  bool is_gemma3_bidirectional_ = false;
  bool is_not_causal_ = false;
};

// ------------------------------------------------------------------------------------------------- The text model

std::string model_type_of(const json& object, const std::string& pointer) {
  const auto found = object.find("model_type");
  if (found == object.end() || found->is_null()) return "";
  if (!found->is_string())
    reader::throw_wrong_type(pointer + "/model_type", *found, "the model's type, such as \"gemma3_text\"");
  return found->get<std::string>();
}

// PreTrainedConfig.get_text_config: the one of these keys that is there, or the file itself.
std::string_view text_key(const json& file, const std::string& source) {
  std::vector<std::string_view> found;
  for (const std::string_view key : {"text_encoder", "decoder", "generator", "text_config"}) {
    const auto value = file.find(key);
    if (value == file.end() || value->is_null()) continue;
    if (value->is_object()) {
      found.push_back(key);
    } else if (key == "text_config") {
      reader::throw_wrong_type("/text_config", *value, "an object");
    }
  }
  if (found.size() > 1) {
    throw error("config-value", source, "it has several text models: " + quoted_list(found).str(),
                "give the file of one of them");
  }
  return found.empty() ? "" : found.front();
}

}  // namespace

std::string_view name_of(attention what) {
  switch (what) {
    case attention::none:
      return "none";
    case attention::full:
      return "full";
    case attention::sliding:
      return "sliding";
    case attention::chunked:
      return "chunked";
    case attention::bidirectional:
      return "bidirectional";
    case attention::bidirectional_sliding:
      break;
  }
  return "bidirectional_sliding";
}

std::optional<std::int64_t> layer::visible_keys() const {
  switch (what) {
    case attention::sliding:
    case attention::chunked:
      return size;
    case attention::bidirectional_sliding:
      return 2 * size + 1;
    default:
      return std::nullopt;
  }
}

std::string warning::line() const { return "axismask: warning[" + id + "] " + where + ": " + what; }

config config::load(const std::filesystem::path& file) {
  return parse(read_text_file(file, config_file), file.string());
}

config config::parse(std::string_view text, const std::string& source) {
  const json file = parse_json(text, source, config_file);
  if (!file.is_object()) reader::throw_wrong_type(source, file, "the object that a model's config.json is");

  config result;
  const auto warn = [&](std::string id, std::string where, std::string what) {
    result.warnings.push_back({std::move(id), std::move(where), std::move(what)});
  };
  const std::string_view key = text_key(file, source);
  const std::string pointer = key.empty() ? "" : step(key);
  const json no_keys = json::object();
  const json* object = key.empty() ? &file : &file[key];
  const std::string whole_type = model_type_of(file, "");
  result.model_type = key.empty() ? whole_type : model_type_of(*object, pointer);
  for (const auto& [composite, text_model] : composites) {
    if (whole_type != composite) continue;
    result.model_type = text_model;
    if (!key.empty()) continue;
    object = &no_keys;
    warn("config-default", source, "text_config was absent, the class default is a text model of class defaults");
  }
  const auto* found =
      std::find_if(families.begin(), families.end(), [&](const family& one) { return is(one, result.model_type); });
  const family& of = found == families.end() ? general : *found;

  if (const auto encoder = file.find("is_encoder_decoder"); encoder != file.end() && *encoder == true) {
    throw error("config-value", "/is_encoder_decoder", "it is true: such a model has masks of two kinds of layers",
                "write the spec by hand");
  }
  if (is_general(of)) {
    result.rule = "masking_utils.py, create_masks_for_generate";
    const bool is_named = !result.model_type.empty();
    warn("config-model-type", is_named ? pointer + "/model_type" : source,
         (is_named ? in_quotes(result.model_type) + " has no rule here" : "there is no model_type") +
             "; the general rule is followed, which takes every model for a causal decoder: layer_types, then "
             "sliding_window, then attention_chunk_size, else causal. The model's own class may differ");
  } else {
    result.rule = "models/" + std::string(of.code);
  }
  if (whole_type == "gemma3") {
    warn("config-text-only", "/model_type",
         "the masks are those of text; the tokens of an image see all of their image too, which is not in the file");
  }
  reader keys(*object, pointer, source);
  import(keys, of, result).run();
  return result;
}

std::string config::spec() const {
  std::vector<named_mask> masks;
  for (std::size_t index = 0; index < layers.size(); ++index) {
    const layer& one = layers[index];
    if (one.what == attention::none) continue;
    spec_json spec_layer{{"type", ""}, {"masked_out_value", "lowest"}};
    switch (one.what) {
      case attention::sliding:
        spec_layer["type"] = "ApplyCausalSlidingWindowAttentionMask";
        spec_layer["sliding_window_size"] = one.size;
        break;
      case attention::chunked:
        spec_layer["type"] = "ApplyChunkedAttentionMask";
        spec_layer["attention_chunk_size"] = one.size;
        break;
      case attention::bidirectional:
      case attention::bidirectional_sliding: {
        // No layer sees just everything; this window is larger than every distance, and negative positions are padding.
        const std::int64_t side = one.what == attention::bidirectional ? largest_count : one.size;
        spec_layer["type"] = "ApplyBidirectionalWindowAttentionMask";
        spec_layer["window_left"] = side;
        spec_layer["window_right"] = side;
        break;
      }
      default:
        spec_layer["type"] = "ApplyCausalAttentionMask";
        break;
    }
    masks.push_back({"layers." + std::to_string(index), spec_layer});
  }
  return spec_text(model_type.empty() ? "unknown" : model_type, masks);
}

}  // namespace axismask::huggingface
