// Which axes of a call are cut into tiles.
#pragma once

#include <array>
#include <cstddef>
#include <span>

#include "arrays/bound_call.hpp"

namespace axismask {

// Which axes of a call are a plan's: tiles are cut along `row` and `column`; each index of the plane axes has tiles of
// its own; along any other axis no operand changes. `row` may be none: one row then.
struct tiled_axes {
  std::size_t row = no_axis;
  std::size_t column = no_axis;
  std::array<std::size_t, max_rank> planes;  // the first `plane_count`, outermost first
  std::size_t plane_count = 0;

  [[nodiscard]] std::span<const std::size_t> of_planes() const { return {planes.data(), plane_count}; }
};

}  // namespace axismask
