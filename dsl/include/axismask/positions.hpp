// The positions of tokens as serving meets them: prefill, chunks, decoding, padded batches, packed documents, and a
// cache of keys that wraps. The functions write into the caller's memory, which then is a side input, `token_positions`
// or so; a layer masks what has a negative position.
//
//   std::vector<std::int32_t> queries(n), keys(positions::ring_capacity(window, n));
//   positions::ring cache{std::span(keys), window};                // the keys' positions, slot by slot
//   positions::consecutive(std::span(queries), cache.tokens());    // a prefill at 0, a chunk or a step of decoding
//   cache.append(n);                                               // before the chunk's logits are masked
#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

#include "axismask/messages/error.hpp"

namespace axismask::positions {

template <class T>
concept position = std::same_as<T, std::int32_t> || std::same_as<T, std::int64_t>;

// The position of a token that is not there: padding, or an empty slot.
inline constexpr std::int32_t nowhere = -1;

namespace detail {

inline void check_size(const char* function, std::size_t size, std::size_t wanted) {
  if (size == wanted) return;
  throw error("positions-size", std::string("positions::") + function,
              "the memory is for " + std::to_string(size) + " positions, and there are " + std::to_string(wanted),
              "give memory for each, rows of a batch one after another");
}

inline void check_length(const char* function, std::int64_t length, std::int64_t width) {
  if (length >= 0 && length <= width) return;
  throw error("positions-length", std::string("positions::") + function,
              "a row of " + std::to_string(width) + " places is to have " + std::to_string(length) + " tokens",
              "give lengths from 0 to the width of the rows");
}

// Writes one row for each length: its tokens' positions from the index `start(length)` on.
template <position Position, class Start>
void padded(const char* function, std::span<const std::int64_t> lengths, std::int64_t width, std::span<Position> out,
            Start start) {
  for (const std::int64_t length : lengths) check_length(function, length, width);
  check_size(function, out.size(), lengths.size() * static_cast<std::size_t>(width));
  for (std::size_t row = 0; row < lengths.size(); ++row) {
    for (std::int64_t column = 0; column < width; ++column) {
      const std::int64_t token = column - start(lengths[row]);
      out[row * static_cast<std::size_t>(width) + static_cast<std::size_t>(column)] =
          static_cast<Position>(token >= 0 && token < lengths[row] ? token : nowhere);
    }
  }
}

}  // namespace detail

// Writes first, first + 1, ...: a prefill starts at 0; a chunk of it, or a step of decoding, at the number of tokens
// before it.
template <position Position>
void consecutive(std::span<Position> out, std::int64_t first = 0) {
  for (std::size_t at = 0; at < out.size(); ++at)
    out[at] = static_cast<Position>(first + static_cast<std::int64_t>(at));
}

// Writes the positions of a batch that is padded before its tokens: in each row of `width`, the last `length` elements
// are 0, 1, ... and those before them `nowhere`. `out` has lengths.size() rows, one after another. Throws
// error[positions-length] for a length that is not from 0 to `width`, error[positions-size] for memory of another size.
template <position Position>
void left_padded(std::span<const std::int64_t> lengths, std::int64_t width, std::span<Position> out) {
  detail::padded("left_padded", lengths, width, out, [width](std::int64_t length) { return width - length; });
}

// Writes the positions of a batch that is padded after its tokens; else as left_padded.
template <position Position>
void right_padded(std::span<const std::int64_t> lengths, std::int64_t width, std::span<Position> out) {
  detail::padded("right_padded", lengths, width, out, [](std::int64_t) { return 0; });
}

// Writes a row of documents that lie one after another: to `documents` the number of each token's document, from 0, for
// `ApplyDocumentAttentionMask`; to `out` its position in that document. The rest of the row is padding, `nowhere` in
// both, which have the same size. Throws error[positions-length] for documents that do not fit, error[positions-size]
// when the sizes differ.
template <position Position>
void packed(std::span<const std::int64_t> lengths, std::span<Position> documents, std::span<Position> out) {
  std::int64_t total = 0;
  for (const std::int64_t length : lengths) {
    detail::check_length("packed", length, static_cast<std::int64_t>(out.size()) - total);
    total += length;
  }
  detail::check_size("packed", documents.size(), out.size());
  for (Position& document : documents) document = nowhere;
  for (Position& token : out) token = nowhere;
  std::size_t next = 0;
  for (std::size_t document = 0; document < lengths.size(); ++document) {
    for (std::int64_t token = 0; token < lengths[document]; ++token, ++next) {
      documents[next] = static_cast<Position>(document);
      out[next] = static_cast<Position>(token);
    }
  }
}

// The number of slots that a cache needs so that every query of a chunk still finds the keys of its window: `window`
// for the first query, and one for each further token of the chunk. With `window` slots, a chunk is one token.
[[nodiscard]] constexpr std::int64_t ring_capacity(std::int64_t window, std::int64_t longest_chunk) {
  return window + longest_chunk - 1;
}

// The positions of the keys in a cache that wraps: the token at position p is in slot p % capacity. They are in the
// caller's memory, one for each slot, which is the side input of the keys.
template <position Position>
class ring {
 public:
  // An empty cache. Throws error[ring-capacity] when `window`, in keys, is below 1 or more than slots.size().
  ring(std::span<Position> slots, std::int64_t window) : slots_(slots), window_(window) {
    if (window < 1 || static_cast<std::int64_t>(slots.size()) < window) {
      throw error(
          "ring-capacity", "positions::ring",
          "a window of " + std::to_string(window) + " keys is to be kept in " + std::to_string(slots.size()) + " slots",
          "give at least a slot for each key of the window, and a window of at least 1");
    }
    for (Position& slot : slots_) slot = nowhere;
  }

  // The number of tokens up to now, which is the position of the next.
  [[nodiscard]] std::int64_t tokens() const { return tokens_; }

  // Adds the next `count` tokens: to be called for each chunk before its logits are masked. Throws error[ring-capacity]
  // and changes nothing when the chunk would overwrite keys that its own first query sees.
  void append(std::int64_t count) {
    const auto capacity = static_cast<std::int64_t>(slots_.size());
    const std::int64_t seen =
        window_ - 1 < tokens_ ? window_ - 1 : tokens_;  // keys before the chunk that it still sees
    if (count < 0 || count > capacity - seen) {
      throw error("ring-capacity", "positions::ring",
                  "a chunk of " + std::to_string(count) + " tokens and the " + std::to_string(seen) +
                      " keys before it that are in its window are more "
                      "than the " +
                      std::to_string(capacity) + " slots",
                  "give chunks of at most " + std::to_string(capacity - window_ + 1) +
                      " tokens, or the slots that ring_capacity tells");
    }
    for (std::int64_t token = 0; token < count; ++token, ++tokens_) {
      slots_[static_cast<std::size_t>(tokens_ % capacity)] = static_cast<Position>(tokens_);
    }
    if (most_ < tokens_) most_ = tokens_;
  }

  // Removes the last tokens until `tokens` are left: a rejected draft, an edited prompt. The keys that they overwrote
  // do not come back. Throws error[ring-capacity] and changes nothing when the next query would see one of those.
  void trim(std::int64_t tokens) {
    const auto capacity = static_cast<std::int64_t>(slots_.size());
    // The oldest key that is there, and the oldest that the next query sees.
    const std::int64_t oldest = most_ > capacity ? most_ - capacity : 0;
    const std::int64_t needed = tokens >= window_ ? tokens - window_ + 1 : 0;
    if (tokens < 0 || tokens > tokens_ || (tokens > 0 && needed < oldest)) {
      throw error("ring-capacity", "positions::ring",
                  "it cannot go back from " + std::to_string(tokens_) + " tokens to " + std::to_string(tokens) +
                      (tokens < 0 || tokens > tokens_ ? "" : ": keys of that window are gone"),
                  "go back to a number of tokens whose window is there, to 0, or give more slots");
    }
    for (Position& slot : slots_) {
      if (slot >= tokens) slot = nowhere;
    }
    tokens_ = tokens;
    if (tokens == 0) most_ = 0;
  }

 private:
  std::span<Position> slots_;
  std::int64_t window_;
  std::int64_t tokens_ = 0;
  std::int64_t most_ = 0;  // the most tokens since it was empty: what they overwrote does not come back
};

}  // namespace axismask::positions
