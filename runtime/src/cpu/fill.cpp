// Fills and copies contiguous memory.
#include "cpu/fill.hpp"

#include <algorithm>
#include <cinttypes>
#include <cstdio>
#include <cstring>

#include "kernels/avx2.hpp"

#ifdef __SSE2__
#include <emmintrin.h>
#endif
#ifdef __aarch64__
#include <arm_neon.h>
#endif

namespace axismask {
namespace {

constexpr std::int64_t line = 64;  // bytes

// Streaming stores are for x86. ARM's cores see by themselves that whole lines are written one after another, and then
// do not read them into a cache first; `stnp`, the nearest to a streaming store there, is a hint that the compiler has
// no word for.
#ifdef __SSE2__
constexpr bool can_stream = true;
using sixteen_bytes = __m128i;
void stream(std::byte* to, sixteen_bytes value) { _mm_stream_si128(reinterpret_cast<__m128i*>(to), value); }
#else
constexpr bool can_stream = false;
using sixteen_bytes = std::int64_t __attribute__((vector_size(16)));
void stream(std::byte* to, sixteen_bytes value) { std::memcpy(to, &value, sizeof value); }
#endif

// How many bytes there are before the next line, at most all.
std::int64_t bytes_to_line(const std::byte* at, std::int64_t bytes) {
  const auto past = static_cast<std::int64_t>(reinterpret_cast<std::uintptr_t>(at) % line);
  return std::min(bytes, (line - past) % line);
}

// In cache, stores of 32 bytes are a third faster than those of 16.
[[gnu::always_inline]] inline void fill_by_32(std::byte* to, std::int64_t bytes, std::uint64_t pattern) {
  using four = std::uint64_t __attribute__((vector_size(32)));
  constexpr auto width = static_cast<std::int64_t>(sizeof(four));
  const four chunk{pattern, pattern, pattern, pattern};
  for (; bytes >= width; bytes -= width, to += width) {
#ifdef __aarch64__
    // One `stp` of two vectors. g++ 12 would take the four numbers apart into general registers.
    const uint8x16_t half = vreinterpretq_u8_u64(vdupq_n_u64(pattern));
    vst1q_u8(reinterpret_cast<std::uint8_t*>(to), half);
    vst1q_u8(reinterpret_cast<std::uint8_t*>(to + width / 2), half);
#else
    std::memcpy(to, &chunk, sizeof chunk);
#endif
  }
  std::memcpy(to, &chunk, static_cast<std::size_t>(bytes));
}

AXISMASK_FOR_AVX2 void fill_by_avx2(std::byte* to, std::int64_t bytes, std::uint64_t pattern) {
  fill_by_32(to, bytes, pattern);
}

void fill_plain(std::byte* to, std::int64_t bytes, std::uint64_t pattern) {
  if (has_avx2()) return fill_by_avx2(to, bytes, pattern);
  fill_by_32(to, bytes, pattern);
}

}  // namespace

std::int64_t streaming_bytes() {
  static const std::int64_t bytes = [] {
    // The system's own account of the last cache that this processor shares: glibc's is that of all of the chip's.
    std::int64_t kibibytes = 0;
    if (std::FILE* file = std::fopen("/sys/devices/system/cpu/cpu0/cache/index3/size", "r")) {
      if (std::fscanf(file, "%" SCNd64 "K", &kibibytes) != 1) kibibytes = 0;
      std::fclose(file);
    }
    return (kibibytes > 0 ? kibibytes : std::int64_t{8} << 10) << 10;
  }();
  return bytes;
}

void fill(std::byte* to, std::int64_t bytes, std::int64_t element_bytes, std::uint64_t pattern, bool streaming) {
  // An array may start anywhere: then lines do not start with an element.
  if (can_stream && streaming && bytes >= 2 * line &&
      reinterpret_cast<std::uintptr_t>(to) % static_cast<std::uintptr_t>(element_bytes) == 0) {
    const std::int64_t head = bytes_to_line(to, bytes);
    fill_plain(to, head, pattern);
    to += head;
    bytes -= head;
    const sixteen_bytes value{static_cast<std::int64_t>(pattern), static_cast<std::int64_t>(pattern)};
    for (; bytes >= line; bytes -= line, to += line) {
      for (std::int64_t at = 0; at < line; at += 16) stream(to + at, value);
    }
  }
  fill_plain(to, bytes, pattern);
}

void copy(std::byte* to, const std::byte* from, std::int64_t bytes, bool streaming) {
  if (can_stream && streaming && bytes >= 2 * line) {
    const std::int64_t head = bytes_to_line(to, bytes);
    std::memcpy(to, from, static_cast<std::size_t>(head));
    to += head;
    from += head;
    bytes -= head;
    for (; bytes >= line; bytes -= line, to += line, from += line) {
      sixteen_bytes values[4];
      std::memcpy(values, from, sizeof values);
      for (std::int64_t at = 0; at < 4; ++at) stream(to + 16 * at, values[at]);
    }
  }
  std::memcpy(to, from, static_cast<std::size_t>(bytes));
}

void finish_streaming() {
#ifdef __SSE2__
  _mm_sfence();
#endif
}

}  // namespace axismask
