// Holds specs against the schema with valijson, whose templates stand in this file alone: they are most of the time
// that the room takes to compile.
#include "spec/schema_check.hpp"

#include <cstddef>
#include <nlohmann/json.hpp>
#include <string>

#include "axismask/messages/error.hpp"
#include "spec/json_text.hpp"
#include "spec/model_schema.hpp"

// g++ 12 suspects the strings and regular expressions in valijson when it inlines them.
#pragma GCC diagnostic push
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#pragma GCC diagnostic ignored "-Wrestrict"
#endif
#include <valijson/adapters/nlohmann_json_adapter.hpp>
#include <valijson/schema.hpp>
#include <valijson/schema_parser.hpp>
#include <valijson/validation_results.hpp>
#include <valijson/validator.hpp>
#pragma GCC diagnostic pop

namespace axismask::spec {

using nlohmann::json;

namespace {

// A subschema, or what it refers to if it is a "$ref".
const json* resolved(const json& schema, const json* subschema) {
  const auto reference = subschema->find("$ref");
  if (reference == subschema->end()) return subschema;
  return &schema.at(json::json_pointer(reference->get_ref<const std::string&>().substr(1)));
}

}  // namespace

void check_schema(const json& spec) {
  const json schema = json::parse(model_schema);
  valijson::Schema compiled;
  valijson::SchemaParser().populateSchema(valijson::adapters::NlohmannJsonAdapter(schema), compiled);
  valijson::ValidationResults results;
  valijson::Validator validator;
  if (validator.validate(compiled, valijson::adapters::NlohmannJsonAdapter(spec), &results)) return;

  // The innermost error comes first, with its path: "<root>", "[layers]", "[0]". Its message is the description that
  // is nearest in the schema.
  valijson::ValidationResults::Error first;
  results.popError(first);
  std::string pointer;
  const json* value = &spec;
  const json* described = &schema;
  const json* node = &schema;
  for (std::size_t index = 1; index < first.context.size(); ++index) {
    const std::string name = first.context[index].substr(1, first.context[index].size() - 2);
    pointer += step(name);
    value = value->is_array() ? &value->at(std::stoul(name)) : &value->at(name);
    if (node == nullptr) continue;
    const json::json_pointer property = json::json_pointer("/properties") / name;
    const json* next = node->contains(property)  ? &node->at(property)
                       : node->contains("items") ? &node->at("items")
                                                 : nullptr;
    node = next == nullptr ? nullptr : resolved(schema, next);
    if (node != nullptr && node->contains("description")) described = node;
  }
  const bool is_wrong_type = node != nullptr && node->value("type", value->type_name()) != value->type_name();
  throw error(is_wrong_type ? "spec-type" : "spec-value", pointer,
              "it is " + in_words(*value) + ", which schemas/model.schema.json does not allow",
              "its description there: " + described->value("description", ""));
}

}  // namespace axismask::spec
