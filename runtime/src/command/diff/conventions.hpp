// Windows as other systems write them, as layers: "flash:4096,0" is the mask that flash-attention computes for a
// window_size of (4096, 0). The names and the numbers' meaning are those of axismask/window.hpp.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "axismask/model.hpp"

namespace axismask::command {

// Makes the layer of a convention, "NAME:NUMBER" or "NAME:NUMBER,NUMBER"; "causal" has no number. The layer's name is
// the text; its side inputs and axes have their type's default names. Nothing when no convention has that name.
// Errors: window, whose WHERE is the text; layer-type when the program links no such layer.
[[nodiscard]] std::optional<any_layer> convention_layer(const std::string& text);

// The names, in window.hpp's order.
[[nodiscard]] std::vector<std::string_view> convention_names();

// How each is written, a line for all that are written alike.
[[nodiscard]] std::string convention_help();

}  // namespace axismask::command
