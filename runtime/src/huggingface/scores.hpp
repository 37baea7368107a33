// What a model does with the scores of its attention besides the mask: their scale and softcap.
#pragma once

#include "axismask/huggingface.hpp"
#include "huggingface/config_reader.hpp"
#include "huggingface/families.hpp"

namespace axismask::huggingface {

// Reads the scale and softcap of a family's attention, as far as they differ from 1 / sqrt(size of a head) and none.
// Throws `error` for numbers that its class cannot have.
void import_scores(config_reader& config, const family& of, huggingface::config& result);

}  // namespace axismask::huggingface
