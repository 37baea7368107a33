// Specs as they are written, and what the schema says of layers.
#include <gtest/gtest.h>

#include <cstddef>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "axismask/call/empty_row_rule.hpp"
#include "axismask/huggingface.hpp"
#include "axismask/layer_structure.hpp"
#include "model_test_program.hpp"

namespace axismask::model_test {
namespace {

using nlohmann::json;

// --------------------------------------------------------------------------------------------------------- Schema

// The rules for empty rows that the schema allows a type are those that it can have.
void check_rules_for_empty_rows(const json& schema, const std::string& reference, const layer_type& type) {
  layer_values values{&type, 0, {}};
  std::vector<std::string_view> possible;
  for (const empty_row_rule rule :
       {empty_row_rule::masked, empty_row_rule::error, empty_row_rule::keep_self, empty_row_rule::zeros}) {
    if (!breach_of(rule, values)) possible.push_back(name_of(rule));
  }
  EXPECT_EQ(schema.at(json::json_pointer(reference.substr(1)))["enum"], possible) << type.name;
}

// What a part of the schema refers to, or itself.
const json& resolved(const json& schema, const json& part) {
  const auto reference = part.find("$ref");
  return reference == part.end() ? part : schema.at(json::json_pointer(reference->get<std::string>().substr(1)));
}

// The schema has every shipped layer as its struct has it.
TEST(Schema, HasTheShippedLayersAttributes) {
  const json schema = json::parse(std::ifstream(source_dir / "schemas/model.schema.json"));

  std::vector<std::string> branches;
  for (const json& branch : schema["definitions"]["mask"]["allOf"]) {
    const auto type = branch["if"]["properties"]["type"]["const"].get<std::string>();
    EXPECT_EQ(branch["then"]["$ref"].get<std::string>(), "#/definitions/" + type);
    branches.push_back(type);
  }
  ASSERT_EQ(branches.size(), linked_shipped_layers().size());
  // Layers of these types must give the masked value, which parts must not.
  EXPECT_EQ(schema["definitions"]["shipped_type"]["enum"], branches);
  for (std::size_t index = 0; index < branches.size(); ++index) {
    const layer_type& type = *linked_shipped_layers()[index].type;
    EXPECT_EQ(branches[index], type.name);
    const json& definition = schema["definitions"][std::string(type.name)];
    EXPECT_EQ(definition["additionalProperties"], false);
    EXPECT_EQ(definition["properties"].size(), type.attributes.size() + 4);  // and "name", "type", ...
    EXPECT_EQ(definition["properties"]["attention"]["$ref"], "#/definitions/attention");
    check_rules_for_empty_rows(schema, definition["properties"]["empty_rows"]["$ref"], type);
    std::vector<std::string> required{"type"};
    for (const attribute_record& attribute : type.attributes) {
      const std::string name(attribute.name);
      SCOPED_TRACE(branches[index] + "::" + name);
      ASSERT_TRUE(definition["properties"].contains(name));
      const json& property = resolved(schema, definition["properties"][name]);
      if (attribute.kind == attribute_kind::parameter) {
        required.push_back(name);
      } else if (attribute.kind != attribute_kind::masked_value) {
        EXPECT_EQ(property["default"], attribute.default_name);
      }
      const std::string part = attribute.kind == attribute_kind::masked_value ? "masked_value"
                               : attribute.kind == attribute_kind::parameter
                                   ? (attribute.lowest == 0 ? "whole_parameter" : "parameter")
                               : is_side_input(attribute.kind) ? "input_name"
                                                               : "axis_name";
      EXPECT_EQ(property["allOf"][0]["$ref"], "#/definitions/" + part);
    }
    EXPECT_EQ(definition["required"], required);
  }
  EXPECT_EQ(schema["definitions"]["count"]["minimum"], count::lowest);
  EXPECT_EQ(schema["definitions"]["whole"]["minimum"], whole::lowest);
}

// ----------------------------------------------------------------------------------------------------------- Save

// A model, saved and loaded again: the same layers, and the same text from then on.
void expect_same_when_saved(const Model& model) {
  const temporary_file saved("");
  model.save(saved.path());
  const Model again = Model::load(saved.path());
  EXPECT_EQ(again.name(), model.name());
  EXPECT_EQ(again.to_json(), model.to_json());
  ASSERT_EQ(again.layers().size(), model.layers().size());
  for (std::size_t at = 0; at < model.layers().size(); ++at) {
    EXPECT_EQ(tree_flatten(again.layers()[at]).structure, tree_flatten(model.layers()[at]).structure);
    EXPECT_EQ(tree_flatten(again.layers()[at]).leaves, tree_flatten(model.layers()[at]).leaves);
  }
}

TEST(Save, RoundTripOfEveryExample) {
  std::vector<std::filesystem::path> files{source_dir / "examples/gemma3/model.json"};
  for (const auto& entry : std::filesystem::directory_iterator(source_dir / "schemas/examples")) files.push_back(entry);
  ASSERT_GT(files.size(), 7U);
  for (const std::filesystem::path& file : files) {
    SCOPED_TRACE(file);
    expect_same_when_saved(Model::load(file));
  }
}

// Texts are UTF-8 as they were given, in quotes that none of their letters ends.
TEST(Save, KeepsTexts) {
  const Model model = Model::parse(
      R"({"axismask": 1, "model": "é \"{[,:\\", "layers": [{"name": "層\n", "type": "ApplyCausalAttentionMask",
          "masked_out_value": -0.5}]})",
      "spec.json");
  EXPECT_EQ(model.to_json(), R"({
  "axismask": 1,
  "model": "é \"{[,:\\",
  "layers": [
    {
      "name": "層\n",
      "type": "ApplyCausalAttentionMask",
      "masked_out_value": -0.5
    }
  ]
}
)");
  expect_same_when_saved(model);
}

// What `axismask import` writes for each family is what saving writes.
TEST(Save, RoundTripOfEveryImport) {
  std::ifstream file(source_dir / "tests/oracle/families.json");
  const json families = json::parse(file);
  ASSERT_GE(families.size(), 18);
  for (const auto& [family, one] : families.items()) {
    SCOPED_TRACE(family);
    json config = one["config"];
    config["model_type"] = family;
    const std::string spec = huggingface::config::parse(config.dump(), "config.json").spec();
    const Model model = Model::parse(spec, "spec.json");
    EXPECT_EQ(model.to_json(), spec);
    expect_same_when_saved(model);
  }
}

// Masks that differ have names that do.
TEST(Save, NumbersMasksOfOneType) {
  std::string pattern;
  for (const char* window : {"7", "8", "9"}) {
    pattern += (pattern.empty() ? "" : ",") +
               std::string(R"({"type": "ApplyCausalSlidingWindowAttentionMask", "masked_out_value": 0,)") +
               R"("sliding_window_size": )" + window + "}";
  }
  const Model model = Model::parse(
      R"({"axismask": 1, "model": "m", "layers": [{"name": "layers.{}", "count": 6, "pattern": [)" + pattern + "]}]}",
      "spec.json");
  const json saved = json::parse(model.to_json());
  EXPECT_EQ(saved["layers"][0]["pattern"],
            json({"CausalSlidingWindow", "CausalSlidingWindow 2", "CausalSlidingWindow 3"}));
  EXPECT_EQ(saved["masks"]["CausalSlidingWindow 3"]["sliding_window_size"], 9);
  expect_same_when_saved(model);
}

// A mask that is composed stays in its group.
TEST(Save, ComposedMasksInGroups) {
  const std::filesystem::path file = source_dir / "schemas/examples/composed_groups.json";
  const json saved = json::parse(Model::load(file).to_json());
  ASSERT_EQ(saved["layers"].size(), 1);
  EXPECT_EQ(saved["layers"][0]["count"], 12);
  const json& pattern = saved["layers"][0]["pattern"];
  ASSERT_EQ(pattern.size(), 4);
  std::ifstream stream(file);
  const json written = json::parse(stream);
  EXPECT_EQ(saved["masks"][pattern[0].get<std::string>()], written["masks"]["sliding in its document"]);
  EXPECT_EQ(saved["masks"][pattern[3].get<std::string>()], written["layers"][0]["pattern"][3]);
}

}  // namespace
}  // namespace axismask::model_test
