// The schema of model specs, schemas/model.schema.json, as text. The build makes its definition from that file.
#pragma once

#include <string_view>

namespace axismask {

extern const std::string_view model_schema;

}  // namespace axismask
