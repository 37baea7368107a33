// Decoders of which layers see some keys only, which their content decides, or compressed ones: positions do not say
// it.
#include <array>

#include "huggingface/config_reader.hpp"
#include "huggingface/families.hpp"

namespace axismask::huggingface {
namespace {
constexpr std::string_view indexer = "of the keys that a layer sees an indexer keeps some by their content";

constexpr std::array sparse_decoder_rows{
    family{.type = "axk2", .by = "AXK2Config", .layers = 48, .cycle = "I", .types = "I"},
    family{.type = "deepseek_v32", .by = "DeepseekV32Config", .layers = 61, .cycle = "I", .types = "I"},
    family{.type = "deepseek_v4",
           .by = "DeepseekV4Config",
           .layers = 43,
           .cycle = "X",
           .types = "SX",
           .length = list_length::cut,
           .flags_key = "compress_ratios",
           .flags_letters = "XS",
           .flags_length = list_length::cut,
           .window_key = window_key,
           .window = 128},
    family{.type = "dots3_note_text",
           .of = "dots3_note",
           .by = "Dots3NoteTextConfig",
           .layers = 46,
           .cycle = "SISS",
           .first = "II",
           .types = "FSI",
           .window_key = window_key,
           .window = 512,
           .doubt = indexer},
    family{.type = "glm_moe_dsa", .by = "GlmMoeDsaConfig", .layers = 78, .cycle = "I", .types = "I"},
    family{.type = "hy_v4", .by = "HYV4Config", .layers = 34, .cycle = "I", .types = "I"},
    family{
        .type = "hy_v4_vl_text", .of = "hy_v4_vl", .by = "HYV4VLTextConfig", .layers = 78, .cycle = "I", .types = "I"},
    family{.type = "minimax_m3_vl_text",
           .of = "minimax_m3_vl",
           .by = "MiniMaxM3VLTextConfig",
           .layers = 60,
           .types = "FI",
           .flags_key = "sparse_attention_config/sparse_attention_freq",
           .flags_letters = "IF"},
    family{.type = "mistral_large4_text",
           .of = "mistral_large4",
           .by = "MistralLarge4TextConfig",
           .layers = 72,
           .cycle = "I",
           .types = "I"},
};

}  // namespace

std::span<const family> sparse_decoders() { return sparse_decoder_rows; }

}  // namespace axismask::huggingface
