// What is to be said of keys that do not do what they seem to: defaults, windows that hide nothing, keys that nobody
// reads. A pattern that nobody reads makes the map a guess.
#include "huggingface/warnings.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <utility>

#include "axismask/messages/text.hpp"
#include "spec/json_text.hpp"

namespace axismask::huggingface {

using nlohmann::json;

namespace {

// Keys of numbers that the code of other models reads. transformers' code does not, so they change nothing.
constexpr std::array<std::string_view, 6> idle_keys{"sliding_window",       "sliding_window_size", "use_sliding_window",
                                                    "attention_chunk_size", "local_attention",     "max_window_layers"};

class warner {
 public:
  warner(config_reader& keys, const settings_of_map& made, config& result)
      : keys_(keys), made_(made), result_(result) {}

  void run() {
    warn_of_defaults();
    warn_of_idle_windows();
    warn_of_gate();
    warn_of_unread_keys();
  }

 private:
  void warn(std::string id, std::string where, std::string what, bool is_doubt = false) {
    result_.warnings.push_back({std::move(id), std::move(where), std::move(what), is_doubt});
  }

  [[nodiscard]] bool has(choice what) const {
    return std::any_of(made_.choices.begin(), made_.choices.end(), [&](const auto& one) { return one.what == what; });
  }

  void warn_of_defaults() {
    if (!made_.layers.is_given) warn_of_default(keys_, made_.layers, result_);
    if (has(choice::sliding) && !made_.window.is_given) warn_of_default(keys_, made_.window, result_);
    if (has(choice::chunked) && !made_.chunk.is_given) warn_of_default(keys_, made_.chunk, result_);
  }

  // Windows that never hide a key.
  void warn_of_idle_windows() {
    const json* positions = keys_.find("max_position_embeddings");
    for (const auto& [size, kind] :
         {std::pair(made_.window, choice::sliding), std::pair(made_.chunk, choice::chunked)}) {
      if (!has(kind) || positions == nullptr || !positions->is_number()) continue;
      if (static_cast<double>(size.number) < positions->get<double>()) continue;
      warn("config-window", size.is_given ? keys_.where(size.key) : keys_.where(),
           size.text() + ", and max_position_embeddings " + positions->dump() + ": it hides no key");
    }
  }

  // Gates that open on nothing, and layers that slide behind a shut one.
  void warn_of_gate() {
    constexpr std::string_view key = "use_sliding_window";
    const json* gate = keys_.find(key);
    if (gate != nullptr && *gate == true && !has(choice::sliding)) {
      const bool is_read = keys_.was_asked(made_.of.gate_key) && made_.of.gate_key == key;
      warn("config-contradiction", keys_.where(key), "it is true, and no layer slides: " + made_.choices.back().reason,
           !is_read);
    }
    // In classes whose gate takes the window this is an error.
    const bool is_gate_of_pattern = made_.of.gate_key == key && !made_.of.is_gate_of_window;
    const bool is_shut = gate == nullptr ? is_gate_of_pattern : *gate == false;
    if (is_shut && has(choice::sliding)) {
      warn("config-contradiction", keys_.where(layer_types_key),
           std::string("it has sliding layers, and use_sliding_window is not true") +
               (is_gate_of_pattern ? "; transformers' masks slide then, and its flash-attention does not" : ""));
    }
  }

  // Keys that look as if they changed the masks, and do not.
  void warn_of_unread_keys() {
    for (const std::string_view key : idle_keys) {
      if (made_.of.gate_key == key) continue;
      warn_of_unread(key, false);
    }
    // Beside layer_types a pattern does not matter: transformers itself writes both.
    const bool has_types = !made_.of.types.empty() && keys_.array(layer_types_key, "texts") != nullptr;
    const bool knows_indexers = made_.of.types.find('I') != std::string_view::npos && !is_general(made_.of);
    for (const std::string_view key : pattern_keys()) {
      const bool is_of_indexer = key.starts_with("index_topk");
      if (is_of_indexer ? !knows_indexers : !has_types) warn_of_unread(key, true);
    }
  }

  void warn_of_unread(std::string_view key, bool is_doubt) {
    const auto is_within = [&](std::string_view path) {
      return path.starts_with(key) && path.size() > key.size() && path[key.size()] == '/';
    };
    if (keys_.was_asked(key) || is_within(made_.of.flags_key) || is_within(made_.of.indices_key)) return;
    const json* value = keys_.find(key);
    if (value == nullptr || value->is_null() || *value == false || (value->is_structured() && value->empty())) return;
    // Gemma 2's files have the window under both names.
    if (key == "sliding_window_size" && *value == made_.window.number) return;
    if (is_doubt && says_the_same(*value)) return;
    warn("config-unread", keys_.where(key),
         is_general(made_.of) ? "the general rule does not read it"
                              : "the code of a " + std::string(made_.of.type) + " model does not read it",
         is_doubt);
  }

  // Is it a list that tells the same layers apart as the map does? Each value stands for one choice then.
  [[nodiscard]] bool says_the_same(const json& list) const {
    const auto& choices = made_.choices;
    if (!list.is_array() || list.size() != choices.size()) return false;
    std::map<choice, const json*> values;
    for (std::size_t layer = 0; layer < list.size(); ++layer) {
      const auto [known, is_new] = values.try_emplace(choices[layer].what, &list[layer]);
      if (*known->second != list[layer]) return false;
      if (!is_new) continue;
      for (const auto& [what, value] : values) {
        if (what != choices[layer].what && *value == list[layer]) return false;
      }
    }
    return values.size() > 1;
  }

  config_reader& keys_;
  const settings_of_map& made_;
  config& result_;
};

}  // namespace

void warn_of_default(const config_reader& config, const setting& one, huggingface::config& result) {
  result.warnings.push_back({"config-default", config.where(), one.text() + "; an absent key is not null"});
}

void warn_of_settings(config_reader& keys, const settings_of_map& made, config& result) {
  warner(keys, made, result).run();
}

}  // namespace axismask::huggingface
