// `axismask inspect` of composed layers. command_test.py runs the program, which has no compositions; this one has
// those of schemas/examples/composed.json, without kernels.
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "axismask/command.hpp"
#include "axismask/layer.hpp"
#include "axismask/layers.hpp"
#include "axismask/linked.hpp"

namespace axismask {
namespace {

using causal = ApplyCausalAttentionMask<>;
using window = ApplyCausalSlidingWindowAttentionMask<>;
using document = ApplyDocumentAttentionMask<>;
using sinks = ApplySinksAttentionMask<>;
using two_sided = ApplyBidirectionalWindowAttentionMask<>;

const linked_layer layers[] = {
    {&layer_type_of<causal>, {}},
    {&layer_type_of<window>, {}},
    {&layer_type_of<document>, {}},
    {&layer_type_of<sinks>, {}},
    {&layer_type_of<two_sided>, {}},
    {&layer_type_of<all_of<window, document>>, {}},
    {&layer_type_of<all_of<causal, any_of<window, sinks>>>, {}},
    {&layer_type_of<all_of<causal, not_of<window>>>, {}},
    {&layer_type_of<all_of<causal, document>>, {}},
    {&layer_type_of<any_of<causal, document>>, {}},
    {&layer_type_of<all_of<two_sided, any_of<causal, document>>>, {}},
};
const layer_library library{"composed", layers};
AXISMASK_LINKED_LIBRARY const layer_library* const linked = &library;

using nlohmann::json;

const std::string spec = AXISMASK_SOURCE_DIR "/schemas/examples/composed.json";

std::string output_of(const std::vector<const char*>& arguments) {
  testing::internal::CaptureStdout();
  const int status = command_line(static_cast<int>(arguments.size()), arguments.data());
  std::string output = testing::internal::GetCapturedStdout();
  EXPECT_EQ(status, 0);
  return output;
}

TEST(Inspect, TableOfComposedLayers) {
  const std::string table = output_of({"axismask", "inspect", spec.c_str()});
  EXPECT_NE(table.find("all(ApplyCausalSlidingWindowAttentionMask, ApplyDocumentAttentionMask)"), std::string::npos)
      << table;
  EXPECT_NE(table.find(" 1020 "), std::string::npos) << table;  // the window of a part
}

TEST(Inspect, JsonOfComposedLayersIsThatOfSpecs) {
  const json all = json::parse(output_of({"axismask", "inspect", spec.c_str(), "--json"}));
  ASSERT_EQ(all.size(), 6);
  const json q = {{"query_positions_input_name", "token_positions"}};
  const json k = {{"kv_positions_input_name", "token_positions"}, {"seq_axis", "seq"}, {"kv_seq_axis", "kv_seq"}};
  const auto with = [](json mask, const std::vector<json>& more) {
    for (const json& one : more) mask.update(one);
    return mask;
  };
  const auto window_of = [&](int size) {
    return with({{"type", "ApplyCausalSlidingWindowAttentionMask"}, {"sliding_window_size", size}}, {q, k});
  };
  const json causal_part = with({{"type", "ApplyCausalAttentionMask"}}, {q, k});
  const json sinks_part = with({{"type", "ApplySinksAttentionMask"}, {"sink_count", 4}}, {k});

  EXPECT_EQ(all[1]["type"],
            "all(ApplyCausalAttentionMask, any(ApplyCausalSlidingWindowAttentionMask, ApplySinksAttentionMask))");
  EXPECT_EQ(all[1]["sliding_window_size"], 1020);
  EXPECT_EQ(all[1]["attributes"]["masked_out_value"], "lowest");
  EXPECT_EQ(all[1]["attributes"].size(), 2);
  EXPECT_EQ(all[1]["attributes"]["all"],
            json::array({causal_part, {{"any", json::array({window_of(1020), sinks_part})}}}));
  EXPECT_EQ(all[2]["attributes"]["masked_out_value"], "-inf");
  EXPECT_EQ(all[1]["empty_row_softmax"], "becomes uniform, 1/n for each of n keys");
  EXPECT_EQ(all[2]["empty_row_softmax"], "becomes NaN");
  EXPECT_EQ(all[2]["attributes"]["all"], json::array({causal_part, {{"not", window_of(512)}}}));
  const json images_part = {{"type", "ApplyDocumentAttentionMask"},
                            {"query_segment_ids_input_name", "image_ids"},
                            {"kv_segment_ids_input_name", "image_ids"},
                            {"seq_axis", "seq"},
                            {"kv_seq_axis", "kv_seq"}};
  const json around_part = with(
      {{"type", "ApplyBidirectionalWindowAttentionMask"}, {"window_left", 511}, {"window_right", 1 << 26}}, {q, k});
  EXPECT_EQ(all[4]["type"], "any(ApplyCausalAttentionMask, ApplyDocumentAttentionMask)");
  EXPECT_EQ(all[4]["attributes"]["any"], json::array({causal_part, images_part}));
  EXPECT_EQ(all[5]["attributes"]["all"],
            json::array({around_part, {{"any", json::array({causal_part, images_part})}}}));
}

// This program has neither the layer for a window with gaps nor any kernels.
TEST(Diff, WhatIsNotLinked) {
  const auto error_of = [](const char* a, const char* b) {
    const std::vector<const char*> arguments{"axismask", "diff", a, b};
    testing::internal::CaptureStderr();
    EXPECT_EQ(command_line(static_cast<int>(arguments.size()), arguments.data()), 2);
    return testing::internal::GetCapturedStderr();
  };
  const std::string no_layer = error_of("causal", "dilated:8,2");
  EXPECT_TRUE(no_layer.starts_with("axismask: error[layer-type] ApplyDilatedWindowAttentionMask: ")) << no_layer;
  const std::string no_kernel = error_of("causal", "flash:2,0");
  EXPECT_TRUE(no_kernel.starts_with("axismask: error[kernel-missing] ")) << no_kernel;
}

TEST(Inspect, SaysWhatAttentionHasBesidesTheMask) {
  const std::string attention = AXISMASK_SOURCE_DIR "/schemas/examples/attention.json";
  const json all = json::parse(output_of({"axismask", "inspect", attention.c_str(), "--json"}));
  ASSERT_EQ(all.size(), 5);
  EXPECT_EQ(all[0]["attention"], (json{{"scale", 0.08333333333333333}, {"softcap", 50.0}}));
  EXPECT_EQ(all[4]["attention"], (json{{"sinks", {{"axis", "heads"}, {"values", {0.1, -1.5, 3.0}}}}}));
  EXPECT_EQ(all[4]["empty_row_softmax"], "attends to nothing");
  EXPECT_FALSE(all[0]["attributes"].contains("attention"));  // it is none
  const std::string table = output_of({"axismask", "inspect", attention.c_str()});
  for (const char* words : {" ATTENTION ", " scale 0.08333333333333333, softcap 50 ", " sinks by heads "}) {
    EXPECT_NE(table.find(words), std::string::npos) << table;
  }
  // Where no layer has an attention there is no column of it.
  const std::string without = output_of({"axismask", "inspect", spec.c_str()});
  EXPECT_EQ(without.find("ATTENTION"), std::string::npos) << without;
}

TEST(Inspect, SaysWhatBecomesOfEmptyRows) {
  const std::string empty_rows = AXISMASK_SOURCE_DIR "/schemas/examples/empty_rows.json";
  const json all = json::parse(output_of({"axismask", "inspect", empty_rows.c_str(), "--json"}));
  ASSERT_EQ(all.size(), 6);
  EXPECT_EQ(all[0]["empty_rows"], "keep_self");
  EXPECT_EQ(all[0]["empty_row_softmax"], "attends to itself");
  EXPECT_FALSE(all[0]["attributes"].contains("empty_rows"));  // it is none
  EXPECT_EQ(all[4]["empty_rows"], "masked");
  EXPECT_EQ(all[4]["empty_row_softmax"], "becomes uniform, 1/n for each of n keys");
  EXPECT_EQ(all[5]["empty_rows"], "error");
  EXPECT_EQ(all[5]["empty_row_softmax"], "is refused");
  const std::string table = output_of({"axismask", "inspect", empty_rows.c_str()});
  for (const char* words :
       {" AN EMPTY ROW ", " attends to itself ", " becomes uniform, 1/n for each of n keys ", " is refused "}) {
    EXPECT_NE(table.find(words), std::string::npos) << table;
  }
}

}  // namespace
}  // namespace axismask
