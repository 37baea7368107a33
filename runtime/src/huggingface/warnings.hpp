// What is to be said of keys that do not do what they seem to.
#pragma once

#include <vector>

#include "axismask/huggingface.hpp"
#include "huggingface/config_reader.hpp"
#include "huggingface/families.hpp"
#include "huggingface/rules.hpp"

namespace axismask::huggingface {

// What the map was made of.
struct settings_of_map {
  const family& of;
  const setting& layers;
  const setting& window;
  const setting& chunk;
  const std::vector<layer_choice>& choices;
};

void warn_of_default(const config_reader& keys, const setting& one, config& result);

// Adds the warnings that the keys deserve, beside the map itself.
void warn_of_settings(config_reader& keys, const settings_of_map& made, config& result);

}  // namespace axismask::huggingface
