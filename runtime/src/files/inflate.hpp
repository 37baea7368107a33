// Unpacks deflated bytes, by stb, which draws the pictures too: an .npz file is no reason for one more library to link.
#pragma once

#include <cstdint>
#include <limits>
#include <optional>
#include <string>

namespace axismask {

// stb counts bytes by int.
inline constexpr std::uint64_t most_inflated = std::numeric_limits<int>::max();

// Deflated bytes (RFC 1951), of which `size` are to come. Nothing when they are others, or `size` is more than there
// can be of them.
[[nodiscard]] std::optional<std::string> inflate(std::string packed, std::uint64_t size);

}  // namespace axismask
