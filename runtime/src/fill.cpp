// Fills and copies contiguous memory.
#include "fill.hpp"

#include <unistd.h>

#include <algorithm>
#include <cstring>

#ifdef __SSE2__
#include <emmintrin.h>
#endif

namespace axismask {
namespace {

constexpr std::int64_t line = 64;  // bytes

#ifdef __SSE2__
void stream(std::byte* to, __m128i value) { _mm_stream_si128(reinterpret_cast<__m128i*>(to), value); }
#endif

// How many bytes there are before the next line, at most all.
std::int64_t bytes_to_line(const std::byte* at, std::int64_t bytes) {
  const auto past = static_cast<std::int64_t>(reinterpret_cast<std::uintptr_t>(at) % line);
  return std::min(bytes, (line - past) % line);
}

void fill_plain(std::byte* to, std::int64_t bytes, std::uint64_t pattern) {
  struct chunk {
    std::uint64_t words[4];
  };
  const chunk full{{pattern, pattern, pattern, pattern}};
  std::int64_t at = 0;
  for (; at + static_cast<std::int64_t>(sizeof full) <= bytes; at += sizeof full)
    std::memcpy(to + at, &full, sizeof full);
  std::memcpy(to + at, &full, static_cast<std::size_t>(bytes - at));
}

}  // namespace

std::int64_t streaming_bytes() {
  static const std::int64_t cache = [] {
    const std::int64_t l3 = sysconf(_SC_LEVEL3_CACHE_SIZE);
    return l3 > 0 ? l3 : std::int64_t{8} << 20;
  }();
  return cache;
}

void fill(std::byte* to, std::int64_t bytes, std::int64_t element_bytes, std::uint64_t pattern, bool streaming) {
#ifdef __SSE2__
  // An array may start anywhere: then lines do not start with an element.
  if (streaming && bytes >= 2 * line &&
      reinterpret_cast<std::uintptr_t>(to) % static_cast<std::uintptr_t>(element_bytes) == 0) {
    const std::int64_t head = bytes_to_line(to, bytes);
    fill_plain(to, head, pattern);
    to += head;
    bytes -= head;
    const __m128i value = _mm_set1_epi64x(static_cast<std::int64_t>(pattern));
    for (; bytes >= line; bytes -= line, to += line) {
      for (std::int64_t at = 0; at < line; at += 16) stream(to + at, value);
    }
  }
#endif
  fill_plain(to, bytes, pattern);
}

void copy(std::byte* to, const std::byte* from, std::int64_t bytes, bool streaming) {
#ifdef __SSE2__
  if (streaming && bytes >= 2 * line) {
    const std::int64_t head = bytes_to_line(to, bytes);
    std::memcpy(to, from, static_cast<std::size_t>(head));
    to += head;
    from += head;
    bytes -= head;
    for (; bytes >= line; bytes -= line, to += line, from += line) {
      __m128i values[4];
      std::memcpy(values, from, sizeof values);
      for (std::int64_t at = 0; at < 4; ++at) stream(to + 16 * at, values[at]);
    }
  }
#endif
  std::memcpy(to, from, static_cast<std::size_t>(bytes));
}

void finish_streaming() {
#ifdef __SSE2__
  _mm_sfence();
#endif
}

}  // namespace axismask
