// Lists with an entry for each layer: layer_types, and those that families have under other names.
#include "huggingface/lists.hpp"

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
#include "spec/json_text.hpp"

namespace axismask::huggingface {

using nlohmann::json;

namespace {

// ALLOWED_ATTN_LAYER_TYPES in configuration_utils.py and the old names that are renamed there, with the letters of the
// table of families.
constexpr std::array<std::pair<std::string_view, char>, 17> layer_type_words{{
    {"full_attention", 'F'},
    {"sliding_attention", 'S'},
    {"chunked_attention", 'C'},
    {"attention", 'F'},  // an old name
    {"hybrid", 'H'},     // attention beside linear attention
    {"linear_attention", '-'},
    {"mamba", '-'},  // an old name
    {"conv", '-'},
    {"moe", '-'},
    {"mlp", '-'},
    {"hybrid_sliding", 'h'},
    {"indexed_attention", 'I'},
    {"deepseek_sparse_attention", 'I'},  // an old name
    {"qwen_sparse_attention", 'I'},      // an old name
    {"minimax_m3_sparse", 'I'},
    {"compressed_sparse_attention", 'X'},
    {"heavily_compressed_attention", 'X'},
}};
// Those whose masks are the model's own affair.
constexpr std::array<std::string_view, 2> other_layer_types{"window_attention", "reference_sliding_attention"};

// Words of lists under other names, beside those above.
constexpr std::array<std::pair<std::string_view, char>, 8> block_words{{
    {"recurrent", '-'},
    {"M", '-'},
    {"E", '-'},
    {"-", '-'},
    {"mamba2", '-'},
    {"*", 'F'},
    {"global", 'F'},
    {"local", 'S'},
}};

template <class Words>
char letter_of(const Words& words, std::string_view word) {
  const auto found = std::find_if(words.begin(), words.end(), [&](const auto& known) { return known.first == word; });
  return found == words.end() ? '\0' : found->second;
}

bool has(std::string_view letters, char letter) { return letters.find(letter) != std::string_view::npos; }

// "attention" and "full_attention" stand for the one kind of attention that a family has, if it is another.
char as_family_has_it(char letter, const family& of) {
  if (letter != 'F' || has(of.types, 'F')) return letter;
  for (const char other : {'I', 'S', 'H'}) {
    if (has(of.types, other)) return other;
  }
  return letter;
}

char read_layer_type(const json& entry, const std::string& where, const family& of) {
  if (!entry.is_string()) throw_wrong_type(where, entry, "a layer's type, such as \"sliding_attention\"");
  const auto& word = entry.get_ref<const std::string&>();
  std::vector<std::string_view> words;
  std::vector<std::string_view> of_family;
  for (const auto& [known, letter] : layer_type_words) {
    words.push_back(known);
    const bool is_renamed = calls_window_full(of) && (letter == 'S' || letter == 'F');
    if ((is_renamed ? letter == 'F' : has(of.types, letter)) && known.ends_with("_attention") && !has("I", letter)) {
      of_family.push_back(known);
    }
  }
  char letter = letter_of(layer_type_words, word);
  if (letter == '\0') {
    const bool is_other = std::count(other_layer_types.begin(), other_layer_types.end(), word) > 0;
    throw error("config-value", where,
                "it is " + in_quotes(word) +
                    (is_other ? ", whose mask the model itself makes, and this program does not know"
                              : ", which transformers does not know" + did_you_mean(word, words).str()),
                "give " + quoted_list(words).str());
  }
  const bool is_other_name = letter == 'S' && calls_window_full(of);
  letter = as_family_has_it(letter, of);
  if (is_other_name || (!of.types.empty() && !has(of.types, letter))) {
    throw error("config-value", where,
                "it is " + in_quotes(word) + ", for which a " + std::string(of.type) + " model makes no mask",
                "give " + quoted_list(of_family).str());
  }
  return letter;
}

}  // namespace

bool calls_window_full(const family& of) {
  return of.is_full_without_window && !of.types.empty() && !has(of.types, 'F');
}

void throw_wrong_length(const config_reader& config, std::string_view key, std::size_t entries, std::size_t layers) {
  throw error("config-value", config.where(key),
              "it has " + counted(entries, "entry", "entries") + ", and the model has " + counted(layers, "layer"),
              "give one for each of num_hidden_layers");
}

std::vector<listed> read_layer_types(config_reader& config, const family& of) {
  std::vector<listed> result;
  const json* types = config.array(layer_types_key, "texts");
  if (types == nullptr) return result;
  if (of.refuses_layer_types) {
    throw error("config-value", config.where(layer_types_key),
                "the class of a " + std::string(of.type) + " model has no such key, and transformers refuses the file",
                "leave it out: " + std::string(of.blocks_key) + " says which layers have attention");
  }
  const bool has_mlp = of.has_mlp_entries && std::find(types->begin(), types->end(), json("mlp")) != types->end();
  for (std::size_t entry = 0; entry < types->size(); entry += has_mlp ? 2 : 1) {
    const char letter = read_layer_type((*types)[entry], config.where(layer_types_key) + step(entry), of);
    result.push_back(
        {letter, "layer_types[" + std::to_string(entry) + "] is " + in_quotes(std::string((*types)[entry]))});
  }
  return result;
}

namespace {

// One word of a list under another name.
listed read_block(std::string_view word, const std::string& where, std::string_view key, std::size_t at,
                  const family& of) {
  char letter = letter_of(layer_type_words, word);
  if (letter == '\0') letter = letter_of(block_words, word);
  letter = as_family_has_it(letter, of);
  if (letter == '\0' || !has(of.types, letter)) {
    throw error("config-value", where,
                "it is " + in_quotes(word) + ", which a " + std::string(of.type) + " model does not know",
                "give layer_types, an entry for each layer");
  }
  return {letter, std::string(key) + "[" + std::to_string(at) + "] is " + in_quotes(word)};
}

// ["recurrent", "attention"], "M-M*", or [[["global", "local"], 12]]: those words, 12 times.
std::vector<listed> read_blocks(const json& blocks, const config_reader& config, std::string_view key,
                                const family& of) {
  std::vector<listed> result;
  const auto add = [&](const std::string& word, const std::string& where) {
    result.push_back(read_block(word, where, key, result.size(), of));
  };
  if (blocks.is_string()) {
    for (const char letter : blocks.get_ref<const std::string&>()) add(std::string(1, letter), config.where(key));
    return result;
  }
  if (!blocks.is_array()) throw_wrong_type(config.where(key), blocks, "an array of texts");
  for (std::size_t at = 0; at < blocks.size(); ++at) {
    const json& entry = blocks[at];
    const std::string where = config.where(key) + step(at);
    if (entry.is_string()) {
      add(entry.get<std::string>(), where);
      continue;
    }
    const bool is_group = entry.is_array() && entry.size() == 2 && entry[0].is_array();
    if (!is_group) throw_wrong_type(where, entry, "a text, or an array of texts and how often they are repeated");
    const std::int64_t times = to_whole_number(entry[1], where + "/1");
    if (times < 0 || times > most_layers) {
      throw error("config-value", where + "/1", "it is " + std::to_string(times), "give how often the words come");
    }
    for (std::int64_t time = 0; time < times && result.size() <= most_layers; ++time) {
      for (const json& word : entry[0]) {
        if (!word.is_string()) throw_wrong_type(where, word, "a text");
        add(word.get<std::string>(), where);
      }
    }
  }
  return result;
}

}  // namespace

std::vector<listed> read_blocks(config_reader& config, const family& of) {
  for (const std::string_view key : {of.blocks_key, of.old_blocks_key}) {
    if (key.empty()) continue;
    const json* blocks = config.find(key);
    if (blocks == nullptr) blocks = config.outer_default(key);
    if (blocks != nullptr && !blocks->is_null()) return read_blocks(*blocks, config, key, of);
  }
  return {};
}

std::vector<listed> read_indices(config_reader& config, const family& of, std::size_t layers) {
  if (of.indices_key.empty()) return {};
  const json* indices = config.array(of.indices_key, "whole numbers");
  if (indices == nullptr) return {};
  const std::string key(of.indices_key);
  std::vector<listed> result(layers, {of.indices_letters[1], ""});
  for (std::size_t layer = 0; layer < layers; ++layer) {
    result[layer].reason = std::to_string(static_cast<std::int64_t>(layer) + of.indices_from) + " is not in " + key;
  }
  for (std::size_t entry = 0; entry < indices->size(); ++entry) {
    const std::int64_t number = to_whole_number((*indices)[entry], config.where(key) + step(entry));
    const std::int64_t layer = number - of.indices_from;
    if (layer < 0 || layer >= static_cast<std::int64_t>(layers)) continue;  // as in the classes
    result[static_cast<std::size_t>(layer)] = {of.indices_letters[0], std::to_string(number) + " is in " + key};
  }
  return result;
}

std::vector<listed> read_flags(config_reader& config, const family& of, std::size_t layers) {
  if (of.flags_key.empty()) return {};
  const json* flags = config.array(of.flags_key, "whole numbers");
  if (flags == nullptr || (flags->empty() && of.flags_length == list_length::exact)) return {};
  const bool is_long_enough = of.flags_length == list_length::exact ? flags->size() == layers : flags->size() >= layers;
  if (!is_long_enough) throw_wrong_length(config, of.flags_key, flags->size(), layers);
  std::vector<listed> result;
  for (std::size_t layer = 0; layer < layers; ++layer) {
    const std::int64_t entry = to_whole_number((*flags)[layer], config.where(of.flags_key) + step(layer));
    result.push_back({of.flags_letters[entry != 0 ? 0 : 1],
                      std::string(of.flags_key) + "[" + std::to_string(layer) + "] is " + std::to_string(entry)});
    if (!of.flags_remark.empty()) {
      result.back().reason +=
          std::string(", which means that the layer has ") + (entry != 0 ? "" : "no ") + std::string(of.flags_remark);
    }
  }
  return result;
}

}  // namespace axismask::huggingface
