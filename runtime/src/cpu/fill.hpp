// Fills and copies contiguous memory: plain, for what stays in a cache, or streamed past the caches, for what does not.
#pragma once

#include <cstddef>
#include <cstdint>

namespace axismask {

// Larger arrays do not stay in this machine's caches: written with streaming stores, their lines are not read first.
[[nodiscard]] std::int64_t streaming_bytes();

// Fills memory with elements. `pattern` is one of them repeated to 8 bytes.
void fill(std::byte* to, std::int64_t bytes, std::int64_t element_bytes, std::uint64_t pattern, bool streaming);
void copy(std::byte* to, const std::byte* from, std::int64_t bytes, bool streaming);

// To be called by a thread that has streamed, before it tells others that it is done.
void finish_streaming();

}  // namespace axismask
