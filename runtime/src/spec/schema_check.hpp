// The schema of model specs as a check of its own, behind those that know what to say.
#pragma once

#include <nlohmann/json_fwd.hpp>

namespace axismask::spec {

// Throws `error` for whatever the schema rejects in a spec, said in a general way.
void check_schema(const nlohmann::json& spec);

}  // namespace axismask::spec
