// Holds specs against the schema with valijson.
#include "schema.hpp"

#include <fstream>
#include <nlohmann/json.hpp>
#include <valijson/adapters/nlohmann_json_adapter.hpp>
#include <valijson/schema.hpp>
#include <valijson/schema_parser.hpp>
#include <valijson/validator.hpp>

namespace axismask::test {

bool is_valid_by_schema(const nlohmann::json& spec) {
  using adapter = valijson::adapters::NlohmannJsonAdapter;
  static const valijson::Schema* const compiled = [] {
    static const nlohmann::json schema = nlohmann::json::parse(std::ifstream(AXISMASK_SCHEMA));
    static valijson::Schema made;
    valijson::SchemaParser().populateSchema(adapter(schema), made);
    return &made;
  }();
  return valijson::Validator().validate(*compiled, adapter(spec), nullptr);
}

}  // namespace axismask::test
