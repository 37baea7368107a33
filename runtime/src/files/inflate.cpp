// Unpacks bytes by the part of stb_image that reads PNG's.
#include "files/inflate.hpp"

#define STB_IMAGE_IMPLEMENTATION
#define STB_IMAGE_STATIC
#define STBI_ONLY_PNG
#define STBI_NO_STDIO
#define STBI_NO_FAILURE_STRINGS
#include <stb_image.h>

namespace axismask {

std::optional<std::string> inflate(std::string packed, std::uint64_t size) {
  // A byte holds at most 1032: what claims more asks for memory that it does not fill.
  constexpr std::uint64_t most_of_a_byte = 1032;
  // stb reads ahead, and in a PNG there is a checksum to be read.
  constexpr std::size_t read_ahead = 8;
  if (packed.size() > most_inflated - read_ahead || size > most_inflated || size / most_of_a_byte > packed.size()) {
    return std::nullopt;
  }
  packed.append(read_ahead, '\0');
  std::string bytes(size, '\0');
  const int written = stbi_zlib_decode_noheader_buffer(bytes.data(), static_cast<int>(size), packed.data(),
                                                       static_cast<int>(packed.size()));
  if (written < 0 || static_cast<std::uint64_t>(written) != size) return std::nullopt;
  return bytes;
}

}  // namespace axismask
