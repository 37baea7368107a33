// What a spec says of a layer's attention besides its mask: read, saved, and kept by edits.
#include <gtest/gtest.h>

#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>

#include "axismask/layer_attention.hpp"
#include "axismask/layer_structure.hpp"
#include "axismask/model.hpp"
#include "model_test_program.hpp"

namespace axismask::model_test {
namespace {

using nlohmann::json;

TEST(Attention, IsWhatTheSpecSays) {
  const Model model = Model::load(source_dir / "schemas/examples/attention.json");
  for (const any_layer& layer : model.layers().first(4)) {
    EXPECT_EQ(layer.attention(), (layer_attention{.scale = 0.08333333333333333, .softcap = 50}));
  }
  const any_layer& sinks = model.layer("sinks");
  EXPECT_EQ(sinks.attention(), (layer_attention{.sinks_axis = "heads", .sinks = {0.1F, -1.5F, 3}}));
  EXPECT_EQ(sinks.values().empty_rows, empty_row_rule::zeros);
}

TEST(Attention, IsNoneWhereTheSpecSaysNothing) {
  const auto attention_of = [](const std::string& given) {
    return read(window_spec(R"("sliding_window_size": 1, "masked_out_value": 0)" + given)).layers()[0].attention();
  };
  EXPECT_EQ(attention_of(""), layer_attention());
  EXPECT_EQ(attention_of(R"(, "attention": {})"), layer_attention());
  EXPECT_EQ(attention_of(R"(, "attention": {"scale": 0})").scale, 0);
}

TEST(Attention, IsSavedAsItWasWritten) {
  const auto saved = [](const std::string& given) {
    const std::string spec = window_spec(R"("sliding_window_size": 1, "masked_out_value": 0, "attention": )" + given);
    return json::parse(read(spec).to_json())["layers"][0];
  };
  for (const char* given : {R"({"scale": 0.1})", R"({"softcap": 30.0})", R"({"scale": -2, "softcap": 0.5})",
                            R"({"sinks": {"axis": "heads", "values": [0.1, -1.7, 3]}})"}) {
    EXPECT_EQ(saved(given)["attention"], json::parse(given));
  }
  EXPECT_FALSE(saved("{}").contains("attention"));
}

TEST(Attention, StaysWhenALayerIsEdited) {
  const any_layer layer = Model::load(source_dir / "schemas/examples/attention.json").layers()[0];
  const auto [leaves, structure] = tree_flatten(layer);
  const any_layer with_variable = select(layer).at("sliding_window_size").set(any_variable("window"));
  for (const any_layer& edited :
       {select(layer).at("sliding_window_size").set(std::int64_t{2}), with_empty_rows(layer, empty_row_rule::zeros),
        tree_unflatten(structure, leaves), bind_variables(with_variable, {value("window", std::int64_t{2})})}) {
    EXPECT_EQ(edited.attention(), layer.attention());
  }
  const any_layer bare = from_attributes(layer.type(), attributes_dict(layer), layer.name());
  EXPECT_EQ(bare.attention(), layer_attention());  // it is no attribute
  EXPECT_NE(tree_flatten(bare).structure, structure);
}

}  // namespace
}  // namespace axismask::model_test
