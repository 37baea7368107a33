// The text model in a config.json: which object describes it, and by which row of the table.
#pragma once

#include <nlohmann/json_fwd.hpp>

#include "axismask/huggingface.hpp"
#include "huggingface/config_reader.hpp"
#include "huggingface/families.hpp"

namespace axismask::huggingface {

struct text_model {
  config_reader keys;
  const family* of;
};

// Follows the file from its outer model to the text model within. Adds what is to be said of the outer ones to
// `result`, and its model type and rule. `no_keys` is an empty object, for a text model that the file leaves to class
// defaults. Throws `error` for a model whose masks are no matter of positions at all.
text_model find_text_model(const nlohmann::json& object, const config_file& file, const nlohmann::json& no_keys,
                           config& result);

}  // namespace axismask::huggingface
