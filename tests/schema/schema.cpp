// Holds specs against the schema with valijson.
#include "schema.hpp"

#include <cmath>
#include <cstdint>
#include <fstream>
#include <nlohmann/json.hpp>
#include <utility>
#include <valijson/adapters/nlohmann_json_adapter.hpp>
#include <valijson/schema.hpp>
#include <valijson/schema_parser.hpp>
#include <valijson/validator.hpp>

namespace axismask::test {
namespace {

// 512.0 is a whole number in JSON Schema, and in valijson only what nlohmann::json holds as one.
nlohmann::json with_whole_numbers(nlohmann::json value) {
  if (value.is_structured()) {
    for (nlohmann::json& inner : value) inner = with_whole_numbers(std::move(inner));
  } else if (value.is_number_float()) {
    const auto number = value.get<double>();
    if (std::trunc(number) == number && std::abs(number) < 0x1p63) value = static_cast<std::int64_t>(number);
  }
  return value;
}

}  // namespace

bool is_valid_by_schema(const nlohmann::json& spec) {
  using adapter = valijson::adapters::NlohmannJsonAdapter;
  static const valijson::Schema* const compiled = [] {
    static const nlohmann::json schema = nlohmann::json::parse(std::ifstream(AXISMASK_SCHEMA));
    static valijson::Schema made;
    valijson::SchemaParser().populateSchema(adapter(schema), made);
    return &made;
  }();
  const nlohmann::json whole = with_whole_numbers(spec);
  return valijson::Validator().validate(*compiled, adapter(whole), nullptr);
}

}  // namespace axismask::test
