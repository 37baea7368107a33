// Masks as a picture: axes with their names, what is kept, padding, the reach of a window, and a legend.
#pragma once

#include <span>
#include <string>

#include "picture/mask_map.hpp"
#include "picture/picture.hpp"

namespace axismask {

// The masks side by side, up to four in a row, under a title.
[[nodiscard]] picture mask_picture(const std::string& title, std::span<const mask_panel> panels);

}  // namespace axismask
