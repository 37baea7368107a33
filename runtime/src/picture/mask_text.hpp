// Masks in a terminal: one sign for a logit where there is room, and for a tile of them where there is not.
#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "picture/mask_map.hpp"

namespace axismask {

struct text_screen {
  std::int64_t columns = 80;
  bool has_blocks = true;  // Unicode's; else ASCII
};

// The masks side by side as far as the screen has room, with what there is to say about each.
[[nodiscard]] std::string mask_text(std::span<const mask_panel> panels, const text_screen& screen);

}  // namespace axismask
