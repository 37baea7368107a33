// The text model in a config.json: models of several parts, code that the file brings, and what has no mask to speak
// of.
#include "huggingface/text_model.hpp"

#include <algorithm>
#include <array>
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

constexpr std::string_view model_type_key = "model_type";

// PreTrainedConfig.get_text_config looks for the first four; the others are what composites call their language model.
constexpr std::array<std::string_view, 10> text_keys{
    "text_encoder", "decoder",         "generator",      "text_config", "thinker_config",
    "llm_config",   "language_config", "decoder_config", "vlm_config",  "text_model"};

// How a class of a family's model may be called: the family's stem, and one of these.
constexpr std::array<std::string_view, 26> class_ends{"Model",
                                                      "TextModel",
                                                      "ForCausalLM",
                                                      "LMHeadModel",
                                                      "DoubleHeadsModel",
                                                      "ForMaskedLM",
                                                      "ForPreTraining",
                                                      "ForConditionalGeneration",
                                                      "ForSequenceClassification",
                                                      "ForTokenClassification",
                                                      "ForQuestionAnswering",
                                                      "ForMultipleChoice",
                                                      "ForNextSentencePrediction",
                                                      "ForImageTextToText",
                                                      "ForRetrieval",
                                                      "ForCTC",
                                                      "ForAudioClassification",
                                                      "ForImageClassification",
                                                      "TextForCausalLM",
                                                      "EncoderModel",
                                                      "ThinkerForConditionalGeneration",
                                                      "TextModelWithProjection",
                                                      "ForTextEncoding",
                                                      "ForVision2Seq",
                                                      "PreTrainedModel",
                                                      "WithLMHeadModel"};

bool is_class_of(std::string_view name, const family& of) {
  const std::string_view stem = stem_of(of);
  if (!name.starts_with(stem)) return false;
  const std::string_view end = name.substr(stem.size());
  return std::find(class_ends.begin(), class_ends.end(), end) != class_ends.end();
}

constexpr bool is_doubt = true;

class finder {
 public:
  finder(const config_file& file, const json& no_keys, config& result)
      : file_(file), no_keys_(no_keys), result_(result) {}

  text_model follow(const json& outermost) {
    config_reader keys(outermost, "", file_);
    std::string type = keys.text(model_type_key, "the model's type, such as \"gemma3_text\"");
    // Each step goes into an object of the file, which ends.
    while (true) {
      const family& of = find_family(type);
      warn_of_own_code(keys, of);
      refuse(keys, of);
      if (!of.doubt.empty()) warn("config-beyond-positions", where_of_type(keys), std::string(of.doubt), is_doubt);
      if (of.images != image_attention::none) {
        result_.images = of.images;
        warn("config-text-only", where_of_type(keys), std::string(text_only), is_doubt);
      }
      const std::string_view inner_key = is_general(of)     ? key_of_text_model(keys)
                                         : of.inner.empty() ? std::string_view()
                                                            : of.inner_key;
      if (inner_key.empty()) return finish(keys, of, type);
      if (is_general(of)) doubt_type(keys, type);
      const json* inner = keys.find(inner_key);
      const bool is_there = inner != nullptr && !inner->is_null();
      if (is_there && !inner->is_object()) throw_wrong_type(keys.where(inner_key), *inner, "an object");
      if (!is_there && of.is_flat) {
        type = of.inner;
        if (keys.find("num_hidden_layers") != nullptr) continue;
      }
      if (!is_there) {
        warn("config-default", keys.where(),
             std::string(inner_key) + " was absent, the class default is a text model of class defaults");
        doubt_flat_keys(keys);
      }
      config_reader next(is_there ? *inner : no_keys_, is_there ? keys.where(inner_key) : keys.pointer(), file_);
      if ((!is_there || of.fills_inner) && !of.inner_defaults.empty()) {
        next.set_defaults(parse_own_json(of.inner_defaults));
      }
      const std::string own_type =
          is_there ? next.text(model_type_key, "the model's type, such as \"gemma3_text\"") : std::string();
      type = own_type.empty() || of.is_inner_fixed ? std::string(of.inner) : own_type;
      keys = std::move(next);
    }
  }

 private:
  void warn(std::string id, std::string where, std::string what, bool makes_a_guess = false) {
    result_.warnings.push_back({std::move(id), std::move(where), std::move(what), makes_a_guess});
  }
  static std::string where_of_type(config_reader& keys) {
    return keys.find(model_type_key) == nullptr ? keys.where() : keys.where(model_type_key);
  }

  text_model finish(config_reader& keys, const family& of, const std::string& type) {
    result_.model_type = type;
    result_.rule = code_of(of);
    if (is_general(of)) {
      doubt_type(keys, type);
      result_.warnings.back().what +=
          "; the general rule is followed, which takes every model for a causal decoder: layer_types, then "
          "sliding_window, then attention_chunk_size, else causal. The model's own class may differ";
    }
    return {std::move(keys), &of};
  }

  void doubt_type(config_reader& keys, const std::string& type) {
    const std::vector<std::string_view> known = known_model_types();
    warn("config-model-type", where_of_type(keys),
         type.empty() ? "there is no model_type"
                      : in_quotes(type) + " has no rule here" + did_you_mean(type, known).str(),
         is_doubt);
  }

  // A model that the table does not have may still say which object is the text model.
  [[nodiscard]] std::string_view key_of_text_model(config_reader& keys) const {
    std::vector<std::string_view> found;
    for (const std::string_view key : text_keys) {
      const auto value = keys.object().find(key);
      if (value == keys.object().end() || value->is_null()) continue;
      if (value->is_object()) {
        found.push_back(key);
      } else if (key == "text_config") {
        throw_wrong_type(keys.where(key), *value, "an object");
      }
    }
    if (found.size() > 1) {
      throw error("config-value", keys.where(), "it has several text models: " + quoted_list(found).str(),
                  "give the file of one of them");
    }
    return found.empty() ? std::string_view() : found.front();
  }

  void refuse(config_reader& keys, const family& of) const {
    constexpr std::string_view both_key = "is_encoder_decoder";
    const json* both = keys.find(both_key);
    const bool is_one_alone = both != nullptr && *both == false;
    if (!of.refusal.empty() && !(of.is_encoder_without_decoder && is_one_alone)) {
      throw error("config-value", keys.where(model_type_key),
                  "it is " + in_quotes(of.type) + ": " + std::string(of.refusal), "write the spec by hand");
    }
    if (both != nullptr && *both == true) {
      throw error("config-value", keys.where(both_key),
                  "it is true: the model has an encoder and a decoder, whose layers have masks of two kinds",
                  "write the spec by hand");
    }
  }

  // Keys of a text model that stand in the outer object, which the outer class does not hand on.
  void doubt_flat_keys(config_reader& keys) {
    for (const std::string_view key : {std::string_view("num_hidden_layers"), layer_types_key, window_key}) {
      const json* value = keys.find(key);
      if (value == nullptr || value->is_null()) continue;
      warn("config-unread", keys.where(key), "the outer model's code does not hand it on to its text model", is_doubt);
    }
  }

  void warn_of_own_code(config_reader& keys, const family& of) {
    const json* map = keys.find("auto_map");
    if (map != nullptr && map->is_object()) {
      for (const auto& [name, code] : map->items()) {
        if (!name.starts_with("AutoModel") && name != "AutoConfig") continue;
        warn("config-own-code", keys.where("auto_map"),
             "the file brings code of its own, " + in_words(code) + ", which may make other masks", is_doubt);
        break;
      }
    }
    const json* classes = keys.array("architectures", "texts");
    if (classes == nullptr || of.by.empty()) return;
    for (std::size_t at = 0; at < classes->size(); ++at) {
      const json& one = (*classes)[at];
      if (one.is_string() && is_class_of(one.get_ref<const std::string&>(), of)) continue;
      warn("config-own-code", keys.where("architectures") + step(at),
           "it is " + in_words(one) + ", which is no class of transformers' " + std::string(of.type) +
               " models, and may make other masks",
           is_doubt);
      return;
    }
  }

  const config_file& file_;
  const json& no_keys_;
  config& result_;
};

}  // namespace

text_model find_text_model(const json& object, const config_file& file, const json& no_keys, config& result) {
  return finder(file, no_keys, result).follow(object);
}

}  // namespace axismask::huggingface
