// From the keys of a config.json to the attention of each layer.
#pragma once

#include "axismask/huggingface.hpp"
#include "huggingface/config_reader.hpp"
#include "huggingface/families.hpp"

namespace axismask::huggingface {

// Adds the layers to `result`, and the warnings that the file deserves.
void import_attention(config_reader& config, const family& of, huggingface::config& result);

}  // namespace axismask::huggingface
