// Texts as characters.
#include "picture/characters.hpp"

#include <cstddef>
#include <cstdint>

namespace axismask {
namespace {

constexpr char32_t no_character = 0xFFFD;

bool is_character(char32_t one, std::size_t bytes) {
  constexpr char32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
  const bool is_surrogate = one >= 0xD800 && one <= 0xDFFF;
  return one >= least[bytes] && one <= 0x10FFFF && !is_surrogate && (one & 0xFFFE) != 0xFFFE && one >= ' ' &&
         one != 127;
}

}  // namespace

std::u32string characters(std::string_view utf8) {
  std::u32string result;
  for (std::size_t at = 0; at < utf8.size();) {
    const auto lead = static_cast<std::uint8_t>(utf8[at]);
    const std::size_t bytes = lead < 0x80 ? 1 : lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : 2;
    char32_t one = bytes == 1 ? lead : lead & (0x7FU >> bytes);
    std::size_t read = 1;
    while (read < bytes && at + read < utf8.size() && (utf8[at + read] & 0xC0) == 0x80) {
      one = one << 6 | (static_cast<std::uint8_t>(utf8[at + read]) & 0x3FU);
      ++read;
    }
    const bool is_good = read == bytes && lead < 0xF8 && (lead < 0x80 || lead >= 0xC0) && is_character(one, bytes);
    result += is_good ? one : no_character;
    at += read;
  }
  return result;
}

std::string utf8(std::u32string_view characters) {
  std::string result;
  for (const char32_t one : characters) {
    const int more = one < 0x80 ? 0 : one < 0x800 ? 1 : one < 0x10000 ? 2 : 3;
    constexpr std::uint8_t leads[] = {0, 0xC0, 0xE0, 0xF0};
    result += static_cast<char>(leads[more] | (one >> (6 * more)));
    for (int place = more; place-- > 0;) result += static_cast<char>(0x80U | ((one >> (6 * place)) & 0x3FU));
  }
  return result;
}

}  // namespace axismask
