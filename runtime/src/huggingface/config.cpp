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
#include "huggingface/scores.hpp"
#include "huggingface/text_model.hpp"
#include "spec/json_text.hpp"
#include "spec/json_writing.hpp"
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

bool config::is_certain(spec_for use) const {
  return std::none_of(warnings.begin(), warnings.end(), [&](const warning& one) {
    const bool is_answered = use == spec_for::text_and_images && one.id == "config-text-only";
    return one.is_doubt && !is_answered;
  });
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
  const json_document document = parse_python_json(text, source, file_kind, file.duplicates);
  const json& object = *document;
  if (!object.is_object()) throw_wrong_type(source, object, "the object that a model's config.json is");

  config result;
  const json no_keys = json::object();
  text_model model = find_text_model(object, file, no_keys, result);
  import_attention(model.keys, *model.of, result);
  import_scores(model.keys, *model.of, result);
  return result;
}

namespace {

using sizes = std::initializer_list<std::pair<std::string_view, std::int64_t>>;

// A mask of a layer's, in a spec, and what it is. With a masked value it is all of a layer's; else a part.
struct mask {
  std::string_view kind;
  json_object json;
};

mask plain_mask(std::string_view type, sizes of, bool is_whole) {
  mask result{type, {}};
  result.json.add(spec::keys::type.name, json_of(type));
  if (is_whole) result.json.add(spec::keys::masked_out_value.name, json_of("lowest"));
  for (const auto& [attribute, size] : of) result.json.add(attribute, json_of(size));
  return result;
}

mask composed_mask(composition how, const mask& one, const mask& other, bool is_whole) {
  mask result{key_of(how), {}};
  if (is_whole) result.json.add(spec::keys::masked_out_value.name, json_of("lowest"));
  result.json.add(result.kind, json_of({one.json.str(), other.json.str()}));
  return result;
}

// The mask of a layer of text.
mask mask_of(const layer& one) {
  // No layer sees just everything; this window is larger than every distance, and negative positions are padding.
  const std::int64_t side = one.what == attention::bidirectional ? largest_count : one.size;
  switch (one.what) {
    case attention::sliding:
      return plain_mask("ApplyCausalSlidingWindowAttentionMask", {{"sliding_window_size", one.size}}, true);
    case attention::chunked:
      return plain_mask("ApplyChunkedAttentionMask", {{"attention_chunk_size", one.size}}, true);
    case attention::bidirectional:
    case attention::bidirectional_sliding:
      return plain_mask("ApplyBidirectionalWindowAttentionMask", {{"window_left", side}, {"window_right", side}}, true);
    case attention::full:
    case attention::none:
      break;
  }
  return plain_mask("ApplyCausalAttentionMask", {}, true);
}

// The same with images: a query also sees the tokens after it that are of its own image, and a window holds for keys
// before it only (Gemma 3's and Gemma 4's create_causal_mask_mapping). No image reaches as far as `ahead`; a larger
// number would make the kernels compute with 64 bits.
mask mask_with_images(const layer& one) {
  constexpr std::int64_t ahead = std::int64_t{1} << 26;
  mask same_image = plain_mask("ApplyDocumentAttentionMask", {}, false);
  same_image.json.add("query_segment_ids_input_name", json_of("image_ids"));
  same_image.json.add("kv_segment_ids_input_name", json_of("image_ids"));
  const bool is_whole = one.what == attention::full;
  mask causal_or_image =
      composed_mask(composition::any, plain_mask("ApplyCausalAttentionMask", {}, false), same_image, is_whole);
  if (is_whole) return causal_or_image;
  const sizes window{{"window_left", one.size - 1}, {"window_right", ahead}};
  return composed_mask(composition::all, plain_mask("ApplyBidirectionalWindowAttentionMask", window, false),
                       causal_or_image, true);
}

// Does the layer show images in a way of their own?
bool has_image_mask(const layer& one, image_attention images) {
  return one.what == attention::sliding || (one.what == attention::full && images == image_attention::every_layer);
}

[[noreturn]] void refuse_images(const config& of) {
  const bool is_unknown = of.images == image_attention::unknown;
  throw error("config-value", of.model_type.empty() ? "the config" : "/model_type",
              is_unknown ? "its images are masked in a way that no spec says"
                         : "its tokens of images are masked as text is, by what the file says",
              is_unknown ? "give the mask yourself, with ApplyExplicitAttentionMask"
                         : "leave the images out of what is asked for");
}

}  // namespace

std::string config::spec(spec_for use) const {
  const bool with_images = use == spec_for::text_and_images;
  if (with_images && (images == image_attention::none || images == image_attention::unknown)) refuse_images(*this);
  std::vector<named_mask> masks;
  for (std::size_t index = 0; index < layers.size(); ++index) {
    const layer& one = layers[index];
    if (one.what == attention::none) continue;
    const bool is_for_images = with_images && has_image_mask(one, images);
    mask made = is_for_images ? mask_with_images(one) : mask_of(one);
    if (attention != layer_attention()) made.json.add(spec::keys::attention.name, attention_json(attention));
    masks.push_back(
        {.name = "layers." + std::to_string(index), .kind = std::string(made.kind), .mask = made.json.str()});
  }
  if (masks.empty()) {
    throw error("config-value", model_type.empty() ? "the config" : "/model_type", "no layer has attention",
                "a mask is of no use here");
  }
  return spec_text(model_type.empty() ? "unknown" : model_type, masks);
}

}  // namespace axismask::huggingface
