// The checksum of zip archives: CRC-32, of the polynomial 0x04c11db7 with its bits reversed.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

namespace axismask {

class checksum {
 public:
  checksum& add(std::string_view bytes) {
    for (const char byte : bytes) rest_ = rest_ >> 8 ^ table[(rest_ ^ static_cast<unsigned char>(byte)) & 0xff];
    return *this;
  }
  [[nodiscard]] std::uint32_t value() const { return ~rest_; }

 private:
  static constexpr std::array<std::uint32_t, 256> table = [] {
    std::array<std::uint32_t, 256> entries{};
    for (std::uint32_t byte = 0; byte < entries.size(); ++byte) {
      std::uint32_t rest = byte;
      for (int bit = 0; bit < 8; ++bit) rest = (rest & 1) != 0 ? rest >> 1 ^ 0xedb88320U : rest >> 1;
      entries[byte] = rest;
    }
    return entries;
  }();

  std::uint32_t rest_ = 0xffffffff;
};

}  // namespace axismask
