// The schema of model specs, schemas/model.schema.json, made of schemas/source: the frame, which people write, and for
// each shipped layer what its type has, with the descriptions that people write.
//
// write_schema --write writes the file; without, it fails unless the file is what it would write.
#include <algorithm>
#include <fstream>
#include <iostream>
#include <iterator>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "axismask/call/empty_row_rule.hpp"
#include "axismask/structure/structure_words.hpp"
#include "generators/shipped_layers.hpp"
#include "spec/spec_keys.hpp"

namespace axismask {
namespace {

using json = nlohmann::ordered_json;

const std::string schemas = AXISMASK_SOURCE_DIR "/schemas/";

std::string read_file(const std::string& name) {
  std::ifstream file(schemas + name);
  return {std::istreambuf_iterator<char>(file), {}};
}

// The shipped types that are not composed.
std::vector<const layer_type*> shipped_types() {
  std::vector<const layer_type*> types;
  const auto add = [&](const layer_type& type) {
    if (type.how == composition::none) types.push_back(&type);
  };
  [&]<class... Layers>(layer_list<Layers...>*) {
    (add(layer_type_of<Layers>), ...);
  }(static_cast<axismask_declared_layers*>(nullptr));
  return types;
}

const layer_type& shipped_type(std::string_view name) {
  for (const layer_type* type : shipped_types()) {
    if (type->name == name) return *type;
  }
  throw std::runtime_error("there is a description of " + std::string(name) + ", which is not shipped");
}

json reference(std::string_view definition) { return {{"$ref", "#/definitions/" + std::string(definition)}}; }

// The definition in the frame of what an attribute of that kind may be.
std::string_view definition_of(const attribute_record& attribute) {
  switch (info(attribute.kind).form) {
    case attribute_form::masked_value:
      return "masked_value";
    case attribute_form::numbers:
      return attribute.lowest == 0 ? "whole_parameter" : "parameter";
    case attribute_form::name:
      break;
  }
  return is_side_input(attribute.kind) ? "input_name" : "axis_name";
}

json attribute_schema(const attribute_record& attribute, const json& description) {
  json schema{{"description", description}};
  if (!is_leaf(attribute.kind)) schema["default"] = attribute.default_name;
  schema["allOf"] = json::array({reference(definition_of(attribute))});
  return schema;
}

// The definition in the frame of the rules for empty rows that the type can have.
std::string_view rules_for_empty_rows(const layer_type& type) {
  const auto is_possible = [&](empty_row_rule rule) {
    return !breach_of(rule, type.attributes, [&](std::size_t index) { return type.attributes[index].default_name; });
  };
  if (is_possible(empty_row_rule::keep_self)) return "empty_rows";
  return is_possible(empty_row_rule::error) ? "empty_rows_without_positions" : "empty_rows_without_rows";
}

// Each description is of the layer or of an attribute that it has.
void check_descriptions(const layer_type& type, const json& own) {
  for (const auto& [name, description] : own.items()) {
    const std::string_view described = name;
    const auto is_described = [&](const attribute_record& attribute) { return attribute.name == described; };
    if (name == "layer" || std::any_of(type.attributes.begin(), type.attributes.end(), is_described)) continue;
    throw std::runtime_error("descriptions.json has one of " + std::string(type.name) + "'s " + name +
                             ", which it does not have");
  }
}

// A type's own definition. Attributes that several types have with one description are definitions of their own.
json type_schema(const layer_type& type, const json& own, const json& shared, json& definitions) {
  namespace keys = spec::keys;
  check_descriptions(type, own);
  json required = json::array({keys::type.name});
  json properties;
  properties[keys::name.name] = reference("layer_name");
  properties[keys::type.name] = reference("layer_type");
  for (const attribute_record& attribute : type.attributes) {
    const std::string name(attribute.name);
    if (info(attribute.kind).form == attribute_form::numbers) required.push_back(name);
    if (own.contains(name)) {
      properties[name] = attribute_schema(attribute, own[name]);
      continue;
    }
    if (!shared.contains(name)) {
      throw std::runtime_error("descriptions.json has none of " + std::string(type.name) + "'s " + name);
    }
    json schema = attribute_schema(attribute, shared[name]);
    const bool is_same = !definitions.contains(name) || definitions[name] == schema;
    if (is_same) definitions[name] = schema;
    properties[name] = is_same ? reference(name) : std::move(schema);
  }
  properties[keys::empty_rows.name] = reference(rules_for_empty_rows(type));
  properties[keys::attention.name] = reference("attention");
  return {{"description", own.at("layer")},
          {"type", "object"},
          {"required", required},
          {"additionalProperties", false},
          {"properties", properties}};
}

json make_schema() {
  json schema = json::parse(read_file("source/frame.json"));
  const json descriptions = json::parse(read_file("source/descriptions.json"));
  json& definitions = schema["definitions"];
  for (const auto& [name, own] : descriptions["layers"].items()) {
    definitions[name] = type_schema(shipped_type(name), own, descriptions["attributes"], definitions);
    const json is_this{{"properties", {{"type", {{"const", name}}}}}, {"required", json::array({"type"})}};
    definitions["mask"]["allOf"].push_back({{"if", is_this}, {"then", reference(name)}});
    definitions["shipped_type"]["enum"].push_back(name);
  }
  for (const layer_type* type : shipped_types()) {
    if (!descriptions["layers"].contains(type->name)) {
      throw std::runtime_error("descriptions.json has none of " + std::string(type->name));
    }
  }
  return schema;
}

// On one line.
std::string in_line(const json& value) {
  if (!value.is_structured() || value.empty()) return value.dump();
  std::string inner;
  for (const auto& [key, item] : value.items()) {
    inner += (inner.empty() ? "" : ", ") + (value.is_object() ? json(key).dump() + ": " : "") + in_line(item);
  }
  return value.is_object() ? "{ " + inner + " }" : "[" + inner + "]";
}

// On one line where it fits behind `used` columns, else each item on a line of its own.
std::string layout(const json& value, const std::string& indent, std::size_t used) {
  constexpr std::size_t columns = 120;
  std::string line = in_line(value);
  if (!value.is_structured() || used + line.size() < columns) return line;
  const std::string inner_indent = indent + "  ";
  std::string inner;
  for (const auto& [key, item] : value.items()) {
    const std::string start = inner_indent + (value.is_object() ? json(key).dump() + ": " : "");
    inner += (inner.empty() ? "\n" : ",\n") + start + layout(item, inner_indent, start.size());
  }
  return (value.is_object() ? "{" : "[") + inner + "\n" + indent + (value.is_object() ? "}" : "]");
}

int run(bool writes) {
  const std::string text = layout(make_schema(), "", 0) + "\n";
  if (writes) {
    std::ofstream(schemas + "model.schema.json") << text;
  } else if (read_file("model.schema.json") != text) {
    std::cerr << "schemas/model.schema.json is not what its source and the layers say; run: write_schema --write\n";
    return 1;
  }
  return 0;
}

}  // namespace
}  // namespace axismask

int main(int argc, char** argv) {
  try {
    return axismask::run(argc == 2 && std::string_view(argv[1]) == "--write");
  } catch (const std::exception& problem) {
    std::cerr << problem.what() << "\n";
    return 1;
  }
}
