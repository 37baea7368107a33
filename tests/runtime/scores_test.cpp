// What is read from a model's config.json of the scale and softcap of its attention: the numbers of published models,
// the reasons, and the text of each error.
#include <gtest/gtest.h>

#include <cmath>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "axismask/huggingface.hpp"
#include "axismask/messages/error.hpp"

namespace axismask::huggingface {
namespace {

using nlohmann::json;

// A file with these keys and as few layers as may be.
config read(const std::string& keys) { return config::parse("{\"num_hidden_layers\": 6, " + keys + "}", "FILE"); }

struct model {
  const char* name;
  std::string keys;
  std::optional<double> scale;
  double softcap;
  std::string reason;
};

TEST(Scores, OfPublishedModels) {
  const std::string cap = "the softcap is 50, because attn_logit_softcapping is 50";
  const model models[] = {
      {"gemma-2-2b",
       R"("model_type": "gemma2", "head_dim": 256, "query_pre_attn_scalar": 256, "attn_logit_softcapping": 50.0)",
       {},
       50,
       cap},
      {"gemma-2-9b",
       R"("model_type": "gemma2", "head_dim": 256, "query_pre_attn_scalar": 256, "attn_logit_softcapping": null)",
       {},
       0,
       ""},
      {"gemma-2-27b",
       R"("model_type": "gemma2", "head_dim": 128, "query_pre_attn_scalar": 144, "attn_logit_softcapping": 50.0)",
       1 / std::sqrt(144.0), 50, "the scale is 0.08333333333333333, because query_pre_attn_scalar is 144; " + cap},
      {"gemma-3-1b", R"("model_type": "gemma3_text", "head_dim": 256, "query_pre_attn_scalar": 256)", {}, 0, ""},
      {"gemma-3-27b, of which the class ignores the softcap",
       R"("model_type": "gemma3", "text_config": {"head_dim": 128, "query_pre_attn_scalar": 168,
          "attn_logit_softcapping": 50.0})",
       1 / std::sqrt(168.0), 0, "the scale is 0.07715167498104596, because query_pre_attn_scalar is 168"},
      {"granite-3.0-2b",
       R"("model_type": "granite", "hidden_size": 2048, "num_attention_heads": 32, "attention_multiplier": 0.015625)",
       0.015625, 0, "the scale is 0.015625, because attention_multiplier is 0.015625"},
      {"a granite with the usual scale",
       R"("model_type": "granite", "hidden_size": 2048, "num_attention_heads": 32, "attention_multiplier": 0.125)",
       {},
       0,
       ""},
      {"a granite without its key", R"("model_type": "granitemoe")", 1, 0,
       "the scale is 1, because attention_multiplier was absent, the class default is 1"},
      {"gemma-3n", R"("model_type": "gemma3n_text", "head_dim": 256)", 1, 0,
       "the scale is 1, because the class has it so, whatever the size of a head"},
      {"hyperclovax", R"("model_type": "hyperclovax", "attention_multiplier": null)", {}, 0, ""},
      {"gpt-oss, whose sinks are weights", R"("model_type": "gpt_oss", "sliding_window": 128)", {}, 0, ""},
      {"llama", R"("model_type": "llama", "query_pre_attn_scalar": 7, "attn_logit_softcapping": 30)", {}, 0, ""},
  };
  for (const model& one : models) {
    SCOPED_TRACE(one.name);
    const config found = read(one.keys);
    EXPECT_EQ(found.attention.scale.has_value(), one.scale.has_value());
    EXPECT_DOUBLE_EQ(found.attention.scale.value_or(0), one.scale.value_or(0));
    EXPECT_EQ(found.attention.softcap, one.softcap);
    EXPECT_EQ(found.attention_reason, one.reason);
  }
}

TEST(Scores, StandInEachLayerOfTheSpec) {
  const config found = read(R"("model_type": "gemma2", "head_dim": 128, "query_pre_attn_scalar": 144)");
  const json spec = json::parse(found.spec());
  ASSERT_EQ(spec["masks"].size(), 2);
  for (const json& mask : spec["masks"]) {
    EXPECT_EQ(mask["attention"], (json{{"scale", 1 / std::sqrt(144.0)}, {"softcap", 50.0}}));
  }
  EXPECT_EQ(read(R"("model_type": "llama")").spec().find("\"attention\""), std::string::npos);
}

TEST(Scores, TextOfErrors) {
  const auto error_of = [](const std::string& keys) -> std::string {
    try {
      static_cast<void>(read(keys));
    } catch (const error& problem) {
      return problem.what();
    }
    return "no error";
  };
  EXPECT_EQ(error_of(R"("model_type": "gemma2", "query_pre_attn_scalar": "256")"),
            "axismask: error[config-type] /query_pre_attn_scalar: it is the text \"256\"; give a number or null");
  EXPECT_EQ(
      error_of(R"("model_type": "gemma2", "query_pre_attn_scalar": 0)"),
      "axismask: error[config-value] /query_pre_attn_scalar: it is 0; give a number above 0, of which the scale is 1 "
      "/ sqrt");
  EXPECT_EQ(
      error_of(R"("model_type": "gemma3", "text_config": {"query_pre_attn_scalar": -4})"),
      "axismask: error[config-value] /text_config/query_pre_attn_scalar: it is -4; give a number above 0, of which "
      "the scale is 1 / sqrt");
  EXPECT_EQ(error_of(R"("model_type": "gemma2", "attn_logit_softcapping": 0)"),
            "axismask: error[config-value] /attn_logit_softcapping: it is 0; give a number above 0, or null for none");
  EXPECT_EQ(error_of(R"("model_type": "granite", "attention_multiplier": 1e60)"),
            "axismask: error[config-value] /attention_multiplier: it is 1e+60; give a number that float32 holds");
}

}  // namespace
}  // namespace axismask::huggingface
