// The schema of model specs as a check of its own, behind those that know what to say.
#pragma once

#include <nlohmann/json_fwd.hpp>

namespace axismask::spec {

// Throws `error` (spec-type, spec-value) unless the spec is valid by the schema; its cure is the description there.
void check_schema(const nlohmann::json& spec);

}  // namespace axismask::spec
