// The table of scores: the families of transformers 5.24.0 whose attention has a scale or softcap of its own, by the
// `scaling` of their Attention classes. All others multiply by 1 / sqrt(size of a head) and cap nothing; so does Gemma
// 3 with its attn_logit_softcapping, which its class keeps and never uses.
#include "huggingface/scores.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>

#include "axismask/messages/error.hpp"
#include "axismask/messages/number_text.hpp"
#include "spec/json_text.hpp"

namespace axismask::huggingface {
namespace {

using nlohmann::json;

// What the number is that the scale comes of.
enum class scale_form {
  factor,        // the scale
  inverse_root,  // of which the scale is 1 / sqrt
};

// What the class has where a key is absent; no number: 1 / sqrt(size of a head), no softcap.
struct scores {
  std::string_view type;
  std::string_view scale_key{};  // none: the class has the number, and no file says another
  scale_form form = scale_form::factor;
  std::optional<double> scale{};
  std::string_view softcap_key{};
  std::optional<double> softcap{};
  // The size of a head is head_dim, else hidden_size / num_attention_heads.
  std::int64_t head_size = 0;
  std::int64_t hidden_size = 4096;
  std::int64_t heads = 32;
};

constexpr std::string_view query_scalar = "query_pre_attn_scalar";
constexpr std::string_view multiplier = "attention_multiplier";
constexpr std::string_view softcapping = "attn_logit_softcapping";
constexpr auto root = scale_form::inverse_root;

constexpr std::array score_rows{
    scores{.type = "diffusion_gemma_text", .scale = 1},
    scores{.type = "embedding_gemma2_text", .scale = 1},
    scores{"gemma2", query_scalar, root, 256, softcapping, 50, 256},
    scores{.type = "gemma3_text", .scale_key = query_scalar, .form = root, .scale = 256, .head_size = 256},
    scores{.type = "gemma3n_text", .scale = 1},
    scores{.type = "gemma4_text", .scale = 1},
    scores{.type = "gemma4_unified_text", .scale = 1},
    scores{.type = "gpt_neo", .scale = 1},
    scores{.type = "granite", .scale_key = multiplier, .scale = 1},
    scores{.type = "granite4_vision_text", .scale_key = multiplier, .scale = 1},
    scores{
        .type = "granite_docling_text", .scale_key = multiplier, .scale = 0.015625, .hidden_size = 1024, .heads = 16},
    scores{.type = "granite_swa", .scale_key = multiplier, .scale = 1, .hidden_size = 2560, .heads = 20},
    scores{.type = "granitemoe", .scale_key = multiplier, .scale = 1},
    scores{.type = "granitemoe_swa", .scale_key = multiplier, .scale = 1},
    scores{.type = "granitemoehybrid", .scale_key = multiplier, .scale = 1},
    scores{.type = "granitemoeshared", .scale_key = multiplier, .scale = 1},
    scores{.type = "hyperclovax", .scale_key = multiplier},
    scores{.type = "step3p5", .scale_key = query_scalar, .form = root, .head_size = 128},
    scores{"vaultgemma", query_scalar, root, 256, softcapping, 50, 256},
};

// A number of the file or the class, or none.
struct number {
  std::optional<double> value;
  std::string text;  // "attention_multiplier is 0.0078125"
};

number read_number(config_reader& config, std::string_view key, std::optional<double> if_absent) {
  const json* value = config.find(key);
  const bool is_given = value != nullptr;
  if (!is_given) value = config.outer_default(key);
  if (value != nullptr && value->is_null()) return {};
  if (value != nullptr) {
    if (!value->is_number()) throw_wrong_type(config.where(key), *value, "a number or null");
    if_absent = value->get<double>();
  }
  if (!if_absent) return {};
  return {if_absent,
          std::string(key) + (is_given ? " is " : " was absent, the class default is ") + number_text(*if_absent)};
}

[[noreturn]] void refuse(const config_reader& config, std::string_view key, double value, const std::string& cure) {
  throw error("config-value", config.where(key), "it is " + number_text(value), cure);
}

double size_of_head(config_reader& config, const scores& of) {
  const setting given =
      config.whole_number_or_null("head_dim", of.head_size > 0 ? std::optional(of.head_size) : std::nullopt);
  if (!given.is_null) return static_cast<double>(given.number);
  const std::int64_t heads = config.whole_number("num_attention_heads", of.heads).number;
  const std::int64_t hidden = config.whole_number("hidden_size", of.hidden_size).number;
  const std::int64_t size = heads < 1 ? 0 : hidden / heads;  // rounded down, as the classes do
  return static_cast<double>(size);
}

bool is_same(double a, double b) { return std::abs(a - b) <= 1e-9 * std::abs(b); }

void read_scale(config_reader& config, const scores& of, huggingface::config& result, std::string& reason) {
  number given;
  if (of.scale_key.empty()) {
    given = {of.scale, "the class has it so, whatever the size of a head"};
  } else {
    given = read_number(config, of.scale_key, of.scale);
  }
  if (!given.value) return;
  if (of.form == scale_form::inverse_root && *given.value <= 0) {
    refuse(config, of.scale_key, *given.value, "give a number above 0, of which the scale is 1 / sqrt");
  }
  if (!std::isfinite(static_cast<float>(*given.value))) {
    refuse(config, of.scale_key, *given.value, "give a number that float32 holds");
  }
  const double scale = of.form == scale_form::inverse_root ? 1 / std::sqrt(*given.value) : *given.value;
  if (!of.scale_key.empty() && is_same(scale, 1 / std::sqrt(size_of_head(config, of)))) return;
  result.attention.scale = scale;
  reason = "the scale is " + number_text(scale) + ", because " + given.text;
}

void read_softcap(config_reader& config, const scores& of, huggingface::config& result, std::string& reason) {
  if (of.softcap_key.empty()) return;
  const number given = read_number(config, of.softcap_key, of.softcap);
  if (!given.value) return;
  if (!(static_cast<float>(*given.value) > 0) || !std::isfinite(static_cast<float>(*given.value))) {
    refuse(config, of.softcap_key, *given.value, "give a number above 0, or null for none");
  }
  result.attention.softcap = *given.value;
  reason += (reason.empty() ? "" : "; ") + std::string("the softcap is ") + number_text(*given.value) + ", because " +
            given.text;
}

}  // namespace

void import_scores(config_reader& config, const family& of, huggingface::config& result) {
  const auto* const row =
      std::find_if(score_rows.begin(), score_rows.end(), [&](const scores& one) { return one.type == of.type; });
  if (row == score_rows.end()) return;
  read_scale(config, *row, result, result.attention_reason);
  read_softcap(config, *row, result, result.attention_reason);
}

}  // namespace axismask::huggingface
