// From the keys of a config.json to the attention of each layer: layer_types goes first, else the family's rule; then
// the direction, the sizes, and what single layers have of their own.
#include "huggingface/importer.hpp"

#include <algorithm>
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
#include "huggingface/warnings.hpp"
#include "spec/json_text.hpp"

namespace axismask::huggingface {
namespace {

using nlohmann::json;

// A config in the making.
class attention_importer {
 public:
  attention_importer(config_reader& config, const family& of, huggingface::config& result)
      : config_(config), of_(of), result_(result) {}

  void run() {
    const std::vector<listed> types = read_layer_types(config_, of_);
    const std::size_t count = read_layer_count(types);
    choices_ = choose(types, count);
    read_direction();
    read_sizes();
    read_single_layers();
    for (std::size_t layer = 0; layer < count; ++layer) result_.layers.push_back(make(layer));
    const settings_of_map settings{of_, layers_, window_, chunk_, choices_};
    warn_of_settings(config_, settings, result_);
  }

 private:
  void warn(std::string id, std::string where, std::string what, bool is_doubt = false) {
    result_.warnings.push_back({std::move(id), std::move(where), std::move(what), is_doubt});
  }

  [[nodiscard]] bool has(choice what) const {
    return std::any_of(choices_.begin(), choices_.end(), [&](const layer_choice& one) { return one.what == what; });
  }

  // ------------------------------------------------------------------------------------------------- How many layers

  std::size_t read_layer_count(const std::vector<listed>& types) {
    layers_ = is_general(of_) ? count_by_general_rule(types) : count_of_family(types);
    const std::int64_t count = layers_.number;
    if (count < 1 || count > most_layers) {
      throw error("config-value", config_.where(layers_.key), "it is " + std::to_string(count) + " layers",
                  "give the number of the model's layers, from 1 to " + std::to_string(most_layers));
    }
    return static_cast<std::size_t>(count);
  }

  setting count_of_family(const std::vector<listed>& types) {
    constexpr std::string_view usual = "num_hidden_layers";
    if (of_.length == list_length::decides_layers) {
      config_.find(usual);
      std::size_t entries = types.size();
      if (entries == 0) entries = read_blocks(config_, of_).size();
      if (entries == 0) entries = of_.cycle.size();
      return {layer_types_key, static_cast<std::int64_t>(entries), true};
    }
    setting layers = config_.whole_number(of_.layers_key, of_.layers);
    layers.number *= layers.number < most_layers ? of_.attentions : 1;
    // transformers' other name for the same, which counts every attention.
    if (of_.layers_key != usual && !layers.is_given && config_.find(usual) != nullptr) {
      layers = config_.whole_number(usual, 0);
      layers.number -= layers.number % of_.attentions;
    }
    const json* given = config_.array(layer_types_key, "texts");
    if (of_.has_mlp_entries && given != nullptr && given->size() > types.size()) layers.number /= 2;
    return layers;
  }

  setting count_by_general_rule(const std::vector<listed>& types) {
    setting layers{};
    for (const std::string_view key : {"num_hidden_layers", "n_layer", "n_layers", "num_layers"}) {
      if (!layers.is_given && config_.find(key) != nullptr) layers = config_.whole_number(key, 0);
    }
    if (layers.is_given) return layers;
    if (!types.empty()) return {layer_types_key, static_cast<std::int64_t>(types.size()), true};
    throw error("config-missing-key", config_.where(), "the key \"num_hidden_layers\" is missing",
                "add it: the number of the model's layers");
  }

  // -------------------------------------------------------------------------------------------- What each layer has

  std::vector<layer_choice> made_choices(std::size_t count) {
    return is_general(of_) ? choices_of_general_rule(config_, count) : choices_of_family(config_, of_, count);
  }

  // layer_types goes first; else the family's rule makes them.
  std::vector<layer_choice> choose(const std::vector<listed>& types, std::size_t count) {
    if (config_.array(layer_types_key, "texts") == nullptr) return made_choices(count);
    check_length(types.size(), count);
    std::vector<layer_choice> given;
    for (std::size_t layer = 0; layer < count; ++layer) given.push_back(choice_of(types[layer], true));
    if (of_.types.empty()) {
      std::vector<layer_choice> made = made_choices(count);
      const bool is_same = std::equal(made.begin(), made.end(), given.begin(),
                                      [](const auto& a, const auto& b) { return a.what == b.what; });
      warn("config-unread", config_.where(layer_types_key),
           "a " + std::string(of_.type) + " model's own code does not read it, and gives every layer the same mask",
           !is_same);
      return made;
    }
    take_absent_window(given);
    force_last_layer(of_, given);
    if (!is_general(of_)) compare_with_rule(given);
    return given;
  }

  // A family whose one kind of attention slides where there is a window (MiniMaxModel): its layer_types call it full.
  void take_absent_window(std::vector<layer_choice>& given) {
    if (!calls_window_full(of_) || of_.window_key.empty()) return;
    if (!config_.whole_number_or_null(of_.window_key, of_.window).is_null) return;
    for (layer_choice& one : given) {
      if (one.what == choice::sliding) one.what = choice::full;
    }
  }

  void check_length(std::size_t entries, std::size_t count) {
    if (entries == count) return;
    std::size_t more = 0;
    if (of_.length == list_length::cut && entries > count) {
      if (of_.cut_key.empty()) return;
      const setting extra = config_.whole_number(of_.cut_key, 0);
      if (extra.number == static_cast<std::int64_t>(entries - count)) return;
      more = static_cast<std::size_t>(std::max<std::int64_t>(extra.number, 0));
    }
    if (!layers_.is_given) warn_of_default(config_, layers_, result_);
    throw_wrong_length(config_, layer_types_key, entries, count + more);
  }

  // layer_types wins; a file whose other keys say something else deserves a word.
  void compare_with_rule(const std::vector<layer_choice>& given) {
    std::vector<layer_choice> made;
    try {
      made = made_choices(given.size());
    } catch (const error& problem) {
      // The classes do not look at a pattern that they do not need; at the types of other keys they do.
      const std::string& where = problem.where();
      const bool is_of_pattern = where == config_.where(of_.period_key) || where == config_.where(of_.blocks_key);
      if (problem.id() == "config-type" && !is_of_pattern) throw;
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

  // ------------------------------------------------------------------------------------------------------ Direction

  // Is the mask open to both sides? Reads what decides it.
  void read_direction() {
    if (!of_.both_key.empty()) read_both_key();
    if (of_.sees_both) {
      const bool is_decoder = !of_.causal_key.empty() && config_.boolean_or_null(of_.causal_key);
      sees_both_ = !is_decoder;
      direction_ = is_decoder ? std::string(of_.causal_key) + " is true" : "the model is an encoder";
      if (is_decoder) warn_of_cross_attention();
      return;
    }
    if (of_.makes_own_masks) return;
    const json* is_causal = config_.find("is_causal");
    if (is_causal == nullptr) return;
    if (!is_causal->is_null() && !is_causal->is_boolean()) {
      throw_wrong_type(config_.where("is_causal"), *is_causal, "true or false");
    }
    is_not_causal_ = is_not_causal_ || is_causal->is_null() || !is_causal->get<bool>();
    sees_both_ = sees_both_ || is_not_causal_;
    if (is_not_causal_ && direction_.empty()) direction_ = "is_causal is not true";
  }

  void warn_of_cross_attention() {
    constexpr std::string_view key = "add_cross_attention";
    if (!config_.boolean_or_null(key)) return;
    warn("config-beyond-positions", config_.where(key), "each layer also sees an encoder's tokens, by cross attention",
         true);
  }

  void read_both_key() {
    const json* value = config_.find(of_.both_key);
    const bool is_vision = value == nullptr ? of_.is_vision_by_default : *value == "vision";
    if (is_vision) {
      result_.images = image_attention::sliding_layers;
      warn("config-text-only", value == nullptr ? config_.where() : config_.where(of_.both_key), std::string(text_only),
           true);
    }
    switch (of_.opens) {
      case opens_with::nothing:
        if (!config_.boolean_or_null(of_.both_key)) return;
        warn("config-contradiction", config_.where(of_.both_key),
             "it is true, and " + std::string(stem_of(of_)) +
                 "Model makes causal masks in spite of it; only attention that is called without a mask (sdpa, without "
                 "padding) then sees both sides",
             true);
        return;
      case opens_with::is_true:
        is_opened_ = config_.boolean_or_null(of_.both_key);
        break;
      case opens_with::is_all:
        if (value != nullptr && !value->is_null() && !value->is_string()) {
          throw_wrong_type(config_.where(of_.both_key), *value, "\"all\", \"vision\" or null");
        }
        is_opened_ = value != nullptr && *value == "all";
        is_not_causal_ = is_opened_;  // the class says so, too
        break;
    }
    sees_both_ = is_opened_;
    if (is_opened_)
      direction_ = std::string(of_.both_key) + " is " + (of_.opens == opens_with::is_all ? "\"all\"" : "true");
  }

  // ---------------------------------------------------------------------------------------------------------- Sizes

  // The sizes that layers need, of whatever name.
  void read_sizes() {
    if (of_.window_key == chunk_key) {
      chunk_ = check_size(config_.whole_number_or_null(chunk_key, of_.window), choice::chunked);
      return;
    }
    if (is_general(of_) && has(choice::chunked)) {
      chunk_ = check_size(config_.whole_number_or_null(chunk_key, std::nullopt), choice::chunked);
    }
    if (!of_.window_key.empty()) window_ = check_size(read_window(), choice::sliding);
  }

  setting read_window() {
    if (!of_.gate_key.empty() && of_.is_gate_of_window && has(choice::sliding)) {
      const flag gate = config_.boolean(of_.gate_key, false);
      if (!gate.value) {
        throw error("config-value", config_.where(layer_types_key),
                    "it has sliding layers, and there is no window for them, because " + gate.text(),
                    "set " + std::string(of_.gate_key) + " to true, or give only \"full_attention\"");
      }
    }
    if (!of_.other_window_key.empty()) {
      const bool must_be_number = of_.is_window_never_null && config_.find(of_.other_window_key) != nullptr;
      const setting other = must_be_number ? config_.whole_number(of_.other_window_key, 0)
                                           : config_.whole_number_or_null(of_.other_window_key, std::nullopt);
      if (!other.is_null) {
        unit_ = of_.other_unit;
        return other;
      }
    }
    unit_ = of_.unit;
    const json* value = config_.find(of_.window_key);
    if (value != nullptr && value->is_array() && (of_.has_window_list || is_general(of_))) return read_windows(*value);
    if (of_.is_window_never_null) return config_.whole_number(of_.window_key, of_.window.value_or(0));
    return config_.whole_number_or_null(of_.window_key, of_.window);
  }

  // A window for each layer. The general rule, which knows Mistral's own files, repeats it.
  setting read_windows(const json& list) {
    const std::size_t count = choices_.size();
    if (list.empty() || (!is_general(of_) && list.size() != count)) {
      throw_wrong_length(config_, of_.window_key, list.size(), count);
    }
    const std::string where = config_.where(of_.window_key);
    for (std::size_t layer = 0; layer < count; ++layer) {
      if (choices_[layer].what != choice::sliding) continue;
      const std::size_t entry = layer % list.size();
      const std::int64_t number = to_whole_number(list[entry], where + step(entry));
      single_.push_back({layer, check_number({of_.window_key, number, true}, where + step(entry))});
    }
    return single_.empty() ? setting{of_.window_key, 1, true} : single_.front().window;
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
    return check_number(window, config_.where(window.key));
  }

  static setting check_number(const setting& window, const std::string& where) {
    if (window.number < 1) {
      throw error("config-value", where, "it is " + std::to_string(window.number),
                  "give the number of keys that a token sees, at least 1");
    }
    return window;
  }

  // per_layer_config: what single layers have of their own, windows among it.
  void read_single_layers() {
    constexpr std::string_view key = "per_layer_config";
    const json* layers = config_.find(key);
    if (layers == nullptr || !layers->is_object()) {
      if (of_.every_second_window > 0) set_second_windows();
      return;
    }
    for (const auto& [name, attributes] : layers->items()) {
      const std::string where = config_.where(key) + step(std::string_view(name));
      const bool is_number = !name.empty() && name.find_first_not_of("0123456789") == std::string::npos;
      const std::size_t layer = is_number && name.size() < 9 ? std::stoul(name) : choices_.size();
      if (layer >= choices_.size() || !attributes.is_object()) {
        throw error("config-value", where, "the model has no such layer, or its attributes are no object",
                    "give objects for layers from 0 to " + std::to_string(choices_.size() - 1));
      }
      read_single_layer(layer, attributes, where);
    }
  }

  void set_second_windows() {
    bool is_second = false;
    for (std::size_t layer = 0; layer < choices_.size(); ++layer) {
      if (choices_[layer].what != choice::sliding) continue;
      if (is_second) single_.push_back({layer, {of_.window_key, of_.every_second_window, false}});
      is_second = !is_second;
    }
  }

  void read_single_layer(std::size_t layer, const json& attributes, const std::string& where) {
    layer_choice& one = choices_[layer];
    for (const auto& [attribute, value] : attributes.items()) {
      const std::string place = where + step(std::string_view(attribute));
      if (attribute == "skip") {
        const bool skips = value.is_array() && std::find(value.begin(), value.end(), "attention") != value.end();
        if (skips) one = {choice::none, "per_layer_config skips its attention", true};
      } else if (attribute == of_.window_key || attribute == window_key || attribute == chunk_key) {
        if (one.what != choice::sliding && one.what != choice::chunked) continue;
        const bool is_doubt = is_opened_ || attribute != (one.what == choice::chunked ? chunk_key : of_.window_key);
        if (is_doubt)
          warn("config-unread", place, "the layer has a window of its own, which its class may not read", true);
        single_.push_back({layer, check_number({of_.window_key, to_whole_number(value, place), true}, place)});
      } else if (attribute == "is_causal" || attribute == of_.both_key || attribute == layer_types_key) {
        warn("config-unread", place, "the layer has a direction or type of its own, which this does not read", true);
      }
    }
  }

  // --------------------------------------------------------------------------------------------------------- Layers

  layer make(std::size_t index) {
    const layer_choice& chosen = choices_[index];
    layer result{attention::none, 0, chosen.reason};
    doubt_once(chosen.doubt);
    const setting window = window_of(index);
    switch (chosen.what) {
      case choice::none:
        return result;
      case choice::full:
        result.what = sees_both_ ? attention::bidirectional : attention::full;
        if (sees_both_ && result.reason != direction_) result.reason += "; " + direction_;
        break;
      case choice::chunked:
        result.what = attention::chunked;
        result.size = window.number;
        if (!window.is_given) result.reason += "; " + window.text();
        break;
      case choice::sliding:
        result.what = sees_both_ ? attention::bidirectional_sliding : attention::sliding;
        if (!window.is_given) result.reason += "; " + window.text();
        result.size = sees_both_ ? side(window.number, result.reason) : keys(window.number, result.reason);
        break;
    }
    if (!of_.remark.empty()) result.reason += "; " + std::string(of_.remark);
    return result;
  }

  [[nodiscard]] setting window_of(std::size_t index) const {
    for (const single_window& one : single_) {
      if (one.layer == index) return one.window;
    }
    return choices_[index].what == choice::chunked ? chunk_ : window_;
  }

  void doubt_once(std::string_view doubt) {
    if (doubt.empty() || doubt == last_doubt_) return;
    last_doubt_ = doubt;
    warn("config-beyond-positions", config_.where(), std::string(doubt), true);
  }

  // The keys of a causal window, with the reason for their number.
  [[nodiscard]] std::int64_t keys(std::int64_t number, std::string& reason) const {
    switch (unit_) {
      case window_unit::half_keys:
      case window_unit::half_each_side:
        reason += "; the window is half of " + std::string(window_.key);
        return std::max<std::int64_t>(number / 2, 1);
      case window_unit::keys_before:
        reason += "; " + std::string(window_.key) + " counts the keys before a token";
        return number + 1;
      case window_unit::keys:
      case window_unit::each_side:
        break;
    }
    return window::hugging_face(number).value;
  }

  // The keys to each side in a window to both, with the reason for their number.
  [[nodiscard]] std::int64_t side(std::int64_t number, std::string& reason) const {
    const std::string key(window_.key);
    if (unit_ == window_unit::half_each_side) {
      reason += "; half of " + key + " is to each side";
      return window::modernbert(number).left.value;
    }
    if (unit_ == window_unit::each_side) {
      reason += "; " + key + " is to each side";
      return number;
    }
    if (is_opened_ && of_.halves_window) {
      // Gemma3TextConfig.__post_init__ rewrites the window, and _bidirectional_window_overlay has abs(q - k) < that.
      const std::int64_t below = window::hugging_face_gemma3_bidirectional(number).left.value;
      reason += "; " + std::string(of_.both_key) + " makes the window " + std::to_string(number) + " / 2 + 1";
      if (!is_not_causal_) return below;
      reason += ", and is_causal is not true, so that the window's end is seen too";
      return window::hugging_face_bidirectional(below + 1).left.value;
    }
    std::string ignored;
    reason += "; " + direction_ + ", and then the window is to each side";
    return window::hugging_face_bidirectional(keys(number, ignored)).left.value;
  }

  struct single_window {
    std::size_t layer;
    setting window;
  };

  config_reader& config_;
  const family& of_;
  huggingface::config& result_;
  setting layers_{};
  std::vector<layer_choice> choices_;
  setting window_{};
  window_unit unit_ = window_unit::keys;
  setting chunk_{};
  std::vector<single_window> single_;
  bool sees_both_ = false;
  bool is_opened_ = false;      // by the key of the row
  bool is_not_causal_ = false;  // by is_causal, of the file or the class
  std::string direction_;
  std::string_view last_doubt_{};
};

}  // namespace

void import_attention(config_reader& config, const family& of, huggingface::config& result) {
  attention_importer(config, of, result).run();
}

}  // namespace axismask::huggingface
