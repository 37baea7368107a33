// schemas/model.schema.json, as valijson reads it: what it says of a spec. The loader has checks of its own, which say
// more; they must not let in what the schema, which editors and other programs go by, rejects.
#pragma once

#include <nlohmann/json_fwd.hpp>

namespace axismask::test {

bool is_valid_by_schema(const nlohmann::json& spec);

}  // namespace axismask::test
