// Specs as they are written: a layer's mask as JSON, and the layers of a model in groups.
#pragma once

#include <cstddef>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "axismask/model.hpp"

namespace axismask {

// In specs the keys stand in the order in which people read them.
using spec_json = nlohmann::ordered_json;

spec_json masked_value_json(const masked_value& value);
// An attribute as it stands in a spec.
spec_json attribute_json(const any_layer& layer, std::size_t index);
// What a spec says of a layer's attention; null where it says nothing.
spec_json attention_json(const layer_attention& attention);
// All of a layer but its name, as it stands in a spec. `with_defaults`: its attributes alone, without "type", and also
// the names that are its type's defaults.
spec_json mask_json(const any_layer& layer, bool with_defaults);

struct named_mask {
  std::string name;  // the layer's
  spec_json mask;
};

// The whole spec. Layers whose masks recur become groups.
std::string spec_text(std::string_view model, const std::vector<named_mask>& layers);

}  // namespace axismask
