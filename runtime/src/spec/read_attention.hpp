// What a spec says of a layer's attention besides its mask.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

#include "spec/layer_contents.hpp"

namespace axismask::spec {

// The key "attention" of a layer whose mask has been read.
void read_attention(const nlohmann::json& layer, const std::string& where, layer_contents& read);

}  // namespace axismask::spec
