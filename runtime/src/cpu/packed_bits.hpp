// Bytes that are 0 or 1 as bits.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

namespace axismask {

// Eight of them as the bits of one byte, the first as its lowest or its highest bit. Each is multiplied to where the
// highest byte of the product has its bit; no two meet on the way.
[[nodiscard]] inline std::uint8_t packed_eight(const std::uint8_t* eight, bool first_is_high) {
  constexpr std::uint64_t first_low = 0x0102040810204080U;
  constexpr std::uint64_t first_high = 0x8040201008040201U;
  std::uint64_t bytes = 0;
  std::memcpy(&bytes, eight, sizeof bytes);  // both of our processors have the first byte lowest
  return static_cast<std::uint8_t>((bytes * (first_is_high ? first_high : first_low)) >> 56U);
}

// Sixty-four of them, the first as the lowest bit.
[[nodiscard]] inline std::uint64_t packed_sixty_four(const std::uint8_t* bytes) {
  std::uint64_t bits = 0;
  for (std::size_t at = 0; at < 64; at += 8) {
    bits |= static_cast<std::uint64_t>(packed_eight(bytes + at, false)) << at;
  }
  return bits;
}

}  // namespace axismask
