// A model's config.json: the text model in it, and the spec of its layers.
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "axismask/huggingface.hpp"
#include "axismask/messages/error.hpp"
#include "axismask/messages/text.hpp"
#include "huggingface/config_reader.hpp"
#include "huggingface/families.hpp"
#include "huggingface/importer.hpp"
#include "spec/json_text.hpp"
#include "spec/spec_keys.hpp"
#include "spec/spec_text.hpp"

namespace axismask::huggingface {
namespace {

using nlohmann::json;

constexpr json_file config_file{
    .open_id = "config-open",
    .syntax_id = "config-json",
    .duplicate_key_id = "config-duplicate-key",
    .number_id = "config-value",
    .name = "a model's config.json",
    .empty_cure = "get the model's config.json again",
    .infinity_cure = "Python writes such numbers and JSON does not have them: write null or a number",
    .number_cure = "give one between -1.7976931348623157e308 and 1.7976931348623157e308",
    .has_whole_floats = false,  // transformers refuses 512.0 where it wants a whole number
    .largest = std::size_t{16} << 20,
};

std::string model_type_of(const json& object, const std::string& pointer) {
  const auto found = object.find("model_type");
  if (found == object.end() || found->is_null()) return "";
  if (!found->is_string())
    throw_wrong_type(pointer + "/model_type", *found, "the model's type, such as \"gemma3_text\"");
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
      throw_wrong_type("/text_config", *value, "an object");
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
    case attention::none:
    case attention::full:
    case attention::bidirectional:
      break;
  }
  return std::nullopt;
}

std::string warning::line() const { return "axismask: warning[" + id + "] " + where + ": " + what; }

config config::load(const std::filesystem::path& file) {
  return parse(read_text_file(file, config_file), file.string());
}

config config::parse(std::string_view text, const std::string& source) {
  const json file = parse_json(text, source, config_file);
  if (!file.is_object()) throw_wrong_type(source, file, "the object that a model's config.json is");

  config result;
  const auto warn = [&](std::string id, std::string where, std::string what) {
    result.warnings.push_back({std::move(id), std::move(where), std::move(what)});
  };
  const std::string_view key = text_key(file, source);
  const std::string pointer = key.empty() ? "" : step(key);
  const json no_keys = json::object();
  const json* object = key.empty() ? &file : &file[key];
  const std::string file_type = model_type_of(file, "");
  result.model_type = key.empty() ? file_type : model_type_of(*object, pointer);
  for (const auto& [composite, text_model] : composites) {
    if (file_type != composite) continue;
    result.model_type = text_model;
    if (!key.empty()) continue;
    object = &no_keys;
    warn("config-default", source, "text_config was absent, the class default is a text model of class defaults");
  }
  const family& of = find_family(result.model_type);

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
  if (file_type == "gemma3") {
    warn("config-text-only", "/model_type",
         "the masks are those of text; the tokens of an image see all of their image too, which is not in the file");
  }
  config_reader keys(*object, pointer, source);
  import_attention(keys, of, result);
  return result;
}

namespace {

// The mask of a layer, in a spec.
spec_json mask_of(const layer& one) {
  const auto mask = [](std::string_view type, std::initializer_list<std::pair<std::string_view, std::int64_t>> sizes) {
    spec_json result{{spec::keys::type.name, type}, {spec::keys::masked_out_value.name, "lowest"}};
    for (const auto& [attribute, size] : sizes) result[std::string(attribute)] = size;
    return result;
  };
  // No layer sees just everything; this window is larger than every distance, and negative positions are padding.
  const std::int64_t side = one.what == attention::bidirectional ? largest_count : one.size;
  switch (one.what) {
    case attention::sliding:
      return mask("ApplyCausalSlidingWindowAttentionMask", {{"sliding_window_size", one.size}});
    case attention::chunked:
      return mask("ApplyChunkedAttentionMask", {{"attention_chunk_size", one.size}});
    case attention::bidirectional:
    case attention::bidirectional_sliding:
      return mask("ApplyBidirectionalWindowAttentionMask", {{"window_left", side}, {"window_right", side}});
    case attention::full:
    case attention::none:
      break;
  }
  return mask("ApplyCausalAttentionMask", {});
}

}  // namespace

std::string config::spec() const {
  std::vector<named_mask> masks;
  for (std::size_t index = 0; index < layers.size(); ++index) {
    if (layers[index].what == attention::none) continue;
    masks.push_back({"layers." + std::to_string(index), mask_of(layers[index])});
  }
  return spec_text(model_type.empty() ? "unknown" : model_type, masks);
}

}  // namespace axismask::huggingface
