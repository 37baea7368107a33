// Attention with a layer of a model: the call takes what the spec says of attention where its options say nothing.
#include "axismask/model_attention.hpp"

#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <cstdint>
#include <string>

namespace axismask {
namespace {

// One query of one head, which sees two keys with the scores 1 and 3 (times the scale) and the values 10 and 20.
class ModelAttention : public testing::Test {
 protected:
  float attend(const std::string& attention, const attention_options& options = {}) {
    const std::string spec = R"({"axismask": 1, "model": "m", "layers": [{"name": "a", "masked_out_value": "lowest",
        "type": "ApplyCausalAttentionMask", "query_positions_input_name": "q", "kv_positions_input_name": "k")" +
                             attention + "}]}";
    const Model model = Model::parse(spec, "spec");
    axismask::attend(
        model.layer("a"),
        {.queries = any_view(queries_.data(), dtype::float32, {{"heads", 1}, {"seq", 1}, {"projection", 4}}),
         .keys = any_view(keys_.data(), dtype::float32, {{"kv_seq", 2}, {"projection", 4}}),
         .values = any_view(values_.data(), dtype::float32, {{"kv_seq", 2}, {"projection", 1}}),
         .out = any_view(&out_, dtype::float32, {{"heads", 1}, {"seq", 1}, {"projection", 1}})},
        {{"q", any_view(&query_position_, dtype::int32, {{"seq", 1}})},
         {"k", any_view(key_positions_.data(), dtype::int32, {{"seq", 2}})}},
        options);
    return out_;
  }

  // What comes of these scores, and of a sink that has e^sink of the sum.
  static double wanted(double first, double second, double of_sink = 0) {
    return (std::exp(first) * 10 + std::exp(second) * 20) / (std::exp(first) + std::exp(second) + of_sink);
  }

  static constexpr float near = 1e-5F;

 private:
  std::array<float, 4> queries_{1, 0, 0, 0};
  std::array<float, 8> keys_{1, 9, 9, 9, 3, 9, 9, 9};
  std::array<float, 2> values_{10, 20};
  float out_ = 0;
  std::int32_t query_position_ = 1;
  std::array<std::int32_t, 2> key_positions_{0, 1};
};

TEST_F(ModelAttention, WithoutAnAttentionScoresAreDividedByTheRootOfTheProjection) {
  EXPECT_NEAR(attend(""), wanted(0.5, 1.5), near);
}

TEST_F(ModelAttention, TakesWhatTheSpecSays) {
  EXPECT_NEAR(attend(R"(, "attention": {"scale": 0.25})"), wanted(0.25, 0.75), near);
  EXPECT_NEAR(attend(R"(, "attention": {"softcap": 2})"), wanted(2 * std::tanh(0.25), 2 * std::tanh(0.75)), near);
  EXPECT_NEAR(attend(R"(, "attention": {"sinks": {"axis": "heads", "values": [0.7]}})"),
              wanted(0.5, 1.5, std::exp(0.7)), near);
}

TEST_F(ModelAttention, OptionsWinOverTheSpec) {
  const std::string spec =
      R"(, "attention": {"scale": 0.25, "softcap": 2, "sinks": {"axis": "heads", "values": [0.7]}})";
  const auto capped = [](double score, double cap) { return cap * std::tanh(score / cap); };
  EXPECT_NEAR(attend(spec), wanted(capped(0.25, 2), capped(0.75, 2), std::exp(0.7)), near);
  EXPECT_NEAR(attend(spec, {.scale = 1.0}), wanted(capped(1, 2), capped(3, 2), std::exp(0.7)), near);
  EXPECT_NEAR(attend(spec, {.softcap = 9}), wanted(capped(0.25, 9), capped(0.75, 9), std::exp(0.7)), near);
  const float sink = -1;
  EXPECT_NEAR(attend(spec, {.sinks = any_view(&sink, dtype::float32, {{"heads", 1}})}),
              wanted(capped(0.25, 2), capped(0.75, 2), std::exp(-1)), near);
}

TEST_F(ModelAttention, SinksThatDoNotFitAreAnError) {
  try {
    attend(R"(, "attention": {"sinks": {"axis": "heads", "values": [1, 2]}})");
    FAIL();
  } catch (const error& problem) {
    EXPECT_STREQ(
        problem.what(),
        "axismask: error[axis-size] sinks: its axis \"heads\" has size 2, and that of the queries has 1; give one "
        "element for each index of that axis");
  }
}

// An explicit mask has names for its own axes only by those of its array.
TEST(ExplicitAttention, TheKeyAxisIsTheOneThatKeysHaveAlone) {
  const Model model = Model::parse(R"({"axismask": 1, "model": "m", "layers": [{"name": "a", "masked_out_value": "-inf",
      "type": "ApplyExplicitAttentionMask"}]})",
                                   "spec");
  const std::array<float, 4> zeros{};
  const std::array<float, 3> values{10, 20, 40};
  const std::array<bool, 6> kept{true, false, true, false, true, false};
  std::array<float, 2> out{};
  const auto attend_to = [&](const any_view& keys) {
    attend(model.layer("a"),
           {.queries = any_view(zeros.data(), dtype::float32, {{"seq", 2}, {"projection", 1}}),
            .keys = keys,
            .values = any_view(values.data(), dtype::float32, {{"slots", 3}, {"projection", 1}}),
            .out = any_view(out.data(), dtype::float32, {{"seq", 2}, {"projection", 1}})},
           {{"mask", any_view(kept.data(), dtype::boolean, {{"seq", 2}, {"slots", 3}})}});
  };
  attend_to(any_view(zeros.data(), dtype::float32, {{"slots", 3}, {"projection", 1}}));
  EXPECT_EQ(out, (std::array<float, 2>{25, 20}));
  try {
    attend_to(any_view(zeros.data(), dtype::float32, {{"slots", 3}, {"heads", 1}, {"projection", 1}}));
    FAIL();
  } catch (const error& problem) {
    EXPECT_STREQ(
        problem.what(),
        "axismask: error[attention-axes] ApplyExplicitAttentionMask: it has no key axis, and keys have two axes "
        "that queries do not, \"slots\" and \"heads\"; give the queries one of them, or compose the layer with "
        "a mask that has a key axis");
  }
}

}  // namespace
}  // namespace axismask
