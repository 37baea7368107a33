// What kernels for devices and the runtime that calls them agree on: the tiles of a device, and what is done with them.
#pragma once

#include <cstdint>

namespace axismask {

// What one call of a device kernel does with all its tiles.
enum class tile_work : std::int32_t { decide = 0, copy = 1, fill = 2 };

// A tile is a block of threads: 32 along a row, the width of a warp, by 8. A thread has 4 rows, and of each of them one
// element, or 4 words of 32 bits where the array allows it.
namespace device_tile {
inline constexpr int threads_along_row = 32;
inline constexpr int threads_along_column = 8;
inline constexpr int rows_per_thread = 4;
inline constexpr int words_per_thread = 4;
inline constexpr int rows = threads_along_column * rows_per_thread;
}  // namespace device_tile

}  // namespace axismask
