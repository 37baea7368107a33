// The layers of a spec one by one: groups are written out.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

namespace axismask::spec {

// A layer of a spec on its own. It points into the spec: a copy of JSON goes as deep as that is nested.
struct placed_layer {
  const nlohmann::json* mask;
  std::string where;       // the mask's, a JSON pointer
  std::string entry;       // the JSON pointer of the layer's, or its group's, entry in "layers"
  std::string group_name;  // what a group calls it; empty without a group
};

// All layers of a spec. The masks of its groups are checked, and so are those that no layer has.
std::vector<placed_layer> expand_layers(const nlohmann::json& spec);

}  // namespace axismask::spec
