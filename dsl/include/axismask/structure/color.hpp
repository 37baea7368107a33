// The colours in which treescope shows layers, by penzai 0.2.5's rule: `Struct.treescope_color` hashes the class's
// module and name, and `treescope.formatting_util.color_from_string` turns the hash into a hue.
#pragma once

#include <array>
#include <bit>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <system_error>

namespace axismask {

namespace detail {

// SHA-256's round constants: the first bits of the fractions of the cube roots of the first 64 primes (FIPS 180-4).
inline constexpr std::array<std::uint32_t, 64> sha256_constants{
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2};

using sha256_state = std::array<std::uint32_t, 8>;

// Stirs one block of 64 bytes into the state.
constexpr void sha256_block(sha256_state& state, const std::array<std::uint8_t, 64>& block) {
  std::array<std::uint32_t, 64> words{};
  for (std::size_t index = 0; index < 16; ++index) {
    for (std::size_t byte = 0; byte < 4; ++byte) words[index] = words[index] << 8 | block[4 * index + byte];
  }
  for (std::size_t index = 16; index < 64; ++index) {
    const std::uint32_t early = words[index - 15];
    const std::uint32_t late = words[index - 2];
    words[index] = words[index - 16] + (std::rotr(early, 7) ^ std::rotr(early, 18) ^ early >> 3) + words[index - 7] +
                   (std::rotr(late, 17) ^ std::rotr(late, 19) ^ late >> 10);
  }
  auto [a, b, c, d, e, f, g, h] = state;
  for (std::size_t round = 0; round < 64; ++round) {
    const std::uint32_t first = h + (std::rotr(e, 6) ^ std::rotr(e, 11) ^ std::rotr(e, 25)) + ((e & f) ^ (~e & g)) +
                                sha256_constants[round] + words[round];
    const std::uint32_t second =
        (std::rotr(a, 2) ^ std::rotr(a, 13) ^ std::rotr(a, 22)) + ((a & b) ^ (a & c) ^ (b & c));
    h = g;
    g = f;
    f = e;
    e = d + first;
    d = c;
    c = b;
    b = a;
    a = first + second;
  }
  const sha256_state stirred{a, b, c, d, e, f, g, h};
  for (std::size_t index = 0; index < 8; ++index) state[index] += stirred[index];
}

// The SHA-256 of a text, as eight words; the digest's first byte is the first word's highest.
[[nodiscard]] constexpr sha256_state sha256(std::string_view text) {
  // The fractions of the square roots of the first 8 primes.
  sha256_state state{0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};
  std::array<std::uint8_t, 64> block{};
  std::size_t filled = 0;
  const auto add = [&](std::uint8_t byte) {
    block[filled++] = byte;
    if (filled == 64) {
      sha256_block(state, block);
      filled = 0;
    }
  };
  for (const char character : text) add(static_cast<std::uint8_t>(character));
  add(0x80);
  while (filled != 56) add(0);
  const std::uint64_t bits = std::uint64_t{text.size()} * 8;
  for (int shift = 56; shift >= 0; shift -= 8) add(static_cast<std::uint8_t>(bits >> shift & 0xff));
  return state;
}

// The name by which penzai knows a layer: the classes of penzai.nn.attention are there, all others are their own.
[[nodiscard]] inline std::string penzai_class(std::string_view layer) {
  for (const std::string_view known :
       {"ApplyCausalAttentionMask", "ApplyCausalSlidingWindowAttentionMask", "ApplyExplicitAttentionMask"}) {
    if (layer == known) return "penzai.nn.attention." + std::string(layer);
  }
  return std::string(layer);
}

}  // namespace detail

// treescope's colour for a text, as CSS: "oklch(0.785 0.103 320.009765625 / 1.0)". For a Python class the text is its
// module and qualified name, "penzai.nn.attention.Attention".
[[nodiscard]] inline std::string color_from_string(std::string_view key) {
  // The digest read as a little-endian number, modulo 2^16: its first two bytes.
  const std::uint32_t word = detail::sha256(key)[0];
  const std::uint32_t fingerprint = word >> 24 | (word >> 16 & 0xff) << 8;
  const double hue = 360 * (fingerprint / 65536.0);
  // The shortest digits that give the number back, as Python's `repr`; hues are never so small as to take an exponent.
  std::array<char, 32> digits{};
  const auto [end, fault] = std::to_chars(digits.data(), digits.data() + digits.size(), hue, std::chars_format::fixed);
  std::string text(digits.data(), fault == std::errc() ? end : digits.data());
  if (text.find('.') == std::string::npos) text += ".0";
  return "oklch(0.785 0.103 " + text + " / 1.0)";
}

namespace detail {

// The colour of a layer by the plain name of its struct, which is how specs and kernels know it too.
[[nodiscard]] inline std::string color_of_layer(std::string_view name) { return color_from_string(penzai_class(name)); }

}  // namespace detail
}  // namespace axismask
