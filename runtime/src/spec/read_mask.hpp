// The attributes of a spec's masks, read into a layer's contents.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

#include "spec/layer_contents.hpp"
#include "spec/mask_shape.hpp"

namespace axismask::spec {

// Reads a layer of that shape into contents of its linked type.
void read_layer(const mask_shape& shape, mask_role role, layer_contents& read);

// Reads a mask of a group for its mistakes alone.
void check_group_mask(const nlohmann::json& mask, const std::string& where);

}  // namespace axismask::spec
