// Specs as they are written: a layer's mask as JSON, and the layers of a model in groups.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "axismask/model.hpp"

namespace axismask {

// All of these are JSON on one line, with the keys in the order in which people read them.
std::string masked_value_json(const masked_value& value);
// An attribute as it stands in a spec.
std::string attribute_json(const any_layer& layer, std::size_t index);
// What a spec says of a layer's attention; "null" where it says nothing.
std::string attention_json(const layer_attention& attention);
// All of a layer but its name, as it stands in a spec. `with_defaults`: its attributes alone, without "type", and also
// the names that are its type's defaults.
std::string mask_json(const any_layer& layer, bool with_defaults);

struct named_mask {
  std::string name;  // the layer's
  std::string kind;  // of the mask: how it is composed, "any", or its type
  std::string mask;  // an object, as JSON
};

// The whole spec. Layers whose masks recur become groups.
std::string spec_text(std::string_view model, const std::vector<named_mask>& layers);

}  // namespace axismask
