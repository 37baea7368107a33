// Checks a spec by its schema. This comes after our own checks, whose messages say more.
#pragma once

#include <nlohmann/json_fwd.hpp>

namespace axismask::spec {

// Throws `error` (spec-type, spec-value) unless the spec is valid by the schema; its cure is the description there.
void check_schema(const nlohmann::json& spec);

}  // namespace axismask::spec
