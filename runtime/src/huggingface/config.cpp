// A model's config.json: the text model in it, and the spec of its layers.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <initializer_list>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include "axismask/huggingface.hpp"
#include "axismask/messages/error.hpp"
#include "axismask/messages/text.hpp"
#include "huggingface/config_reader.hpp"
#include "huggingface/importer.hpp"
#include "huggingface/text_model.hpp"
#include "spec/json_text.hpp"
#include "spec/spec_keys.hpp"
#include "spec/spec_text.hpp"

namespace axismask::huggingface {
namespace {

using nlohmann::json;

constexpr json_file file_kind{
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

bool config::is_certain() const {
  return std::none_of(warnings.begin(), warnings.end(), [](const warning& one) { return one.is_doubt; });
}

config config::load(const std::filesystem::path& file) {
  if (file == "-") return parse(read_text_file("/dev/stdin", file_kind), "stdin");
  std::error_code ignored;
  const std::filesystem::path inside = file / "config.json";
  const bool is_folder = std::filesystem::is_directory(file, ignored) && std::filesystem::exists(inside, ignored);
  const std::filesystem::path& path = is_folder ? inside : file;
  return parse(read_text_file(path, file_kind), path.string());
}

config config::parse(std::string_view text, const std::string& source) {
  config_file file{source, {}};
  const json object = parse_python_json(text, source, file_kind, file.duplicates);
  if (!object.is_object()) throw_wrong_type(source, object, "the object that a model's config.json is");

  config result;
  const json no_keys = json::object();
  text_model model = find_text_model(object, file, no_keys, result);
  import_attention(model.keys, *model.of, result);
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
  if (masks.empty()) {
    throw error("config-value", model_type.empty() ? "the config" : "/model_type", "no layer has attention",
                "a mask is of no use here");
  }
  return spec_text(model_type.empty() ? "unknown" : model_type, masks);
}

}  // namespace axismask::huggingface
