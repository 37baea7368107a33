// Looks into the table of families, which causal_decoders.cpp, windowed_decoders.cpp, hybrids.cpp, encoders.cpp,
// composites.cpp and others.cpp hold.
#include "huggingface/families.hpp"

#include <algorithm>
#include <array>

namespace axismask::huggingface {
namespace {

template <class Visit>
void for_each_family(Visit visit) {
  for (const auto& rows : {causal_decoders(), windowed_decoders(), sparse_decoders(), hybrids(), encoders(),
                           composites(), encoder_decoders(), others()}) {
    for (const family& row : rows) visit(row);
  }
}

std::string_view folder(const family& of) { return of.of.empty() ? of.type : of.of; }

}  // namespace

// create_masks_for_generate in masking_utils.py, for a model that is not in the table.
const family general_family{
    .cycle = "S", .is_full_without_window = true, .types = "FSC-HhIX", .window_key = "sliding_window"};

std::string code_of(const family& of) {
  if (is_general(of)) return "masking_utils.py, create_masks_for_generate";
  const std::string in(folder(of));
  const std::string file = of.by.ends_with("Config") ? "configuration_" : "modeling_";
  return "models/" + in + "/" + file + in + ".py, " + std::string(of.by);
}

std::string_view stem_of(const family& of) {
  std::string_view stem = of.by;
  for (const std::string_view end : {"TextConfig", "Config", "TextModel", "Model"}) {
    if (!stem.ends_with(end)) continue;
    stem.remove_suffix(end.size());
    break;
  }
  return stem;
}

const family& find_family(std::string_view model_type) {
  const family* found = &general_family;
  for_each_family([&](const family& row) {
    if (row.type == model_type) found = &row;
  });
  return *found;
}

bool is_general(const family& of) { return of.type.empty(); }

std::vector<std::string_view> known_model_types() {
  std::vector<std::string_view> result;
  for_each_family([&](const family& row) { result.push_back(row.type); });
  return result;
}

std::vector<std::string_view> pattern_keys() {
  // Keys of files that no class of transformers reads, or of which it makes no pattern.
  std::vector<std::string_view> result{"layer_types",
                                       "_sliding_window_pattern",
                                       "hybrid_layer_pattern",
                                       "layer_pattern",
                                       "attn_type_list",
                                       "global_layers",
                                       "full_attention_layers",
                                       "swa_layers",
                                       "cross_attention_layers",
                                       "index_topk",
                                       "index_topk_blocks",
                                       "compress_rates",
                                       "sparse_attention_config",
                                       "dual_chunk_attention_config"};
  for_each_family([&](const family& row) {
    for (const std::string_view key : {row.period_key, row.offset_key, row.blocks_key, row.old_blocks_key,
                                       row.flags_key.substr(0, row.flags_key.find('/')),
                                       row.indices_key.substr(0, row.indices_key.find('/')), row.both_key}) {
      if (!key.empty() && std::find(result.begin(), result.end(), key) == result.end()) result.push_back(key);
    }
  });
  return result;
}

}  // namespace axismask::huggingface
