// Texts as characters.
#include "picture/characters.hpp"

#include <cstddef>
#include <cstdint>

namespace axismask {
namespace {

constexpr char32_t no_character = 0xFFFD;

bool is_character(char32_t character, std::size_t bytes) {
  constexpr char32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
  const bool is_surrogate = character >= 0xD800 && character <= 0xDFFF;
  return character >= least[bytes] && character <= 0x10FFFF && !is_surrogate && (character & 0xFFFE) != 0xFFFE &&
         character >= ' ' && character != 127;
}

}  // namespace

std::u32string characters(std::string_view utf8) {
  std::u32string result;
  for (std::size_t at = 0; at < utf8.size();) {
    const auto lead = static_cast<std::uint8_t>(utf8[at]);
    const std::size_t bytes = lead < 0x80 ? 1 : lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : 2;
    char32_t character = bytes == 1 ? lead : lead & (0x7FU >> bytes);
    std::size_t read = 1;
    while (read < bytes && at + read < utf8.size() && (utf8[at + read] & 0xC0) == 0x80) {
      character = character << 6 | (static_cast<std::uint8_t>(utf8[at + read]) & 0x3FU);
      ++read;
    }
    const bool is_good =
        read == bytes && lead < 0xF8 && (lead < 0x80 || lead >= 0xC0) && is_character(character, bytes);
    result += is_good ? character : no_character;
    at += read;
  }
  return result;
}

std::string utf8(std::u32string_view characters) {
  std::string result;
  for (const char32_t character : characters) {
    const int more = character < 0x80 ? 0 : character < 0x800 ? 1 : character < 0x10000 ? 2 : 3;
    constexpr std::uint8_t leads[] = {0, 0xC0, 0xE0, 0xF0};
    result += static_cast<char>(leads[more] | (character >> (6 * more)));
    for (int left = more; left-- > 0;) result += static_cast<char>(0x80U | ((character >> (6 * left)) & 0x3FU));
  }
  return result;
}

}  // namespace axismask
