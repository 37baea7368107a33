// The table of families. What the rules do is in rules.cpp.
#include "huggingface/families.hpp"

#include <algorithm>

#include "huggingface/rules.hpp"

namespace axismask::huggingface {
namespace {

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

}  // namespace

const family general_family{"", "", 0, std::nullopt, by_general_rule};

const family& find_family(std::string_view model_type) {
  const auto* found =
      std::find_if(families.begin(), families.end(), [&](const family& one) { return is(one, model_type); });
  return found == families.end() ? general_family : *found;
}

bool is(const family& of, std::string_view model_type) { return of.model_type == model_type; }
bool is_general(const family& of) { return is(of, ""); }

bool reads_layer_types(const family& of) {
  return of.make_layer_types != all_slide_or_none && of.make_layer_types != all_are_full;
}

}  // namespace axismask::huggingface
