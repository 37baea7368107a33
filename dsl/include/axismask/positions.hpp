// The positions of tokens as serving meets them: prefill, chunks, decoding, padded batches, packed documents, the
// inputs of Hugging Face's models, and a cache of keys that wraps. The functions write into the caller's memory, which
// then is a side input, `token_positions` or so; a layer masks what has a negative position. Where one throws it has
// written nothing.
//
//   std::vector<std::int32_t> queries(n), keys(positions::ring_capacity(window, n));
//   positions::ring cache{std::span(keys), window};                // the keys' positions, slot by slot
//   positions::consecutive(std::span(queries), cache.tokens());    // a prefill at 0, a chunk or a step of decoding
//   cache.append(n);                                               // before the chunk's logits are masked
#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <string>
#include <type_traits>

#include "axismask/messages/error.hpp"

namespace axismask::positions {

template <class T>
concept position = std::same_as<T, std::int32_t> || std::same_as<T, std::int64_t>;

// What arrays that were made elsewhere hold: bool and whole numbers of any width, constant or not.
template <class T>
concept number = std::integral<std::remove_const_t<T>>;

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

// "row 1, place 3", or "place 3" where there is one row.
inline std::string place(std::size_t at, std::size_t width, std::size_t size) {
  return (width == size ? "" : "row " + std::to_string(at / width) + ", ") + "place " + std::to_string(at % width);
}

// Throws where a mask has other numbers than 0 and 1.
template <number Flag>
void check_mask(const char* function, std::span<Flag> mask, std::size_t width) {
  for (std::size_t at = 0; at < mask.size(); ++at) {
    if (mask[at] == 0 || mask[at] == 1) continue;
    throw error("positions-mask", std::string("positions::") + function,
                "the attention_mask has " + std::to_string(mask[at]) + " in " + place(at, width, mask.size()),
                "give 1 for a token and 0 for padding, as a tokenizer does, and no mask that is added to logits");
  }
}

// Throws where a mask is not rows of `width` places, each with an element of `out`.
inline void check_rows(const char* function, std::size_t mask_size, std::int64_t width, std::size_t out_size) {
  if (width < 0 || (width == 0 ? mask_size != 0 : mask_size % static_cast<std::size_t>(width) != 0)) {
    throw error("positions-size", std::string("positions::") + function,
                "an attention_mask of " + std::to_string(mask_size) + " elements is not rows of " +
                    std::to_string(width) + " places",
                "give all rows of [batch, kv_seq], one after another, and kv_seq as the width");
  }
  check_size(function, out_size, mask_size);
}

// Throws where offsets do not begin with 0, fall, or end beyond a row of `places`.
template <number Offset>
void check_offsets(const char* function, std::span<Offset> offsets, std::size_t places) {
  const auto refuse = [&](const std::string& what, const char* cure) {
    throw error("positions-offsets", std::string("positions::") + function, what, cure);
  };
  if (offsets.empty() || offsets[0] != 0) {
    refuse(offsets.empty() ? "cu_seqlens is empty" : "cu_seqlens begins with " + std::to_string(offsets[0]),
           "begin with 0, and add each document's length to the number before: 0, 3, 7 for lengths of 3 and 4");
  }
  for (std::size_t at = 1; at < offsets.size(); ++at) {
    if (offsets[at] >= offsets[at - 1]) continue;
    refuse("cu_seqlens falls from " + std::to_string(offsets[at - 1]) + " to " + std::to_string(offsets[at]) +
               " at element " + std::to_string(at),
           "give the sums of the lengths, which never fall, and not the lengths");
  }
  if (static_cast<std::uint64_t>(offsets.back()) > places) {
    refuse("the documents end at " + std::to_string(offsets.back()) + ", and the row has " + std::to_string(places) +
               " places",
           "give memory for each token of all documents");
  }
}

// The highest number where the product is higher: a size that no memory has.
constexpr std::size_t product(std::size_t rows, std::size_t width) {
  constexpr std::size_t highest = std::numeric_limits<std::size_t>::max();
  return width > 0 && rows > highest / width ? highest : rows * width;
}

// Throws where a number of positions from `first` on are not all numbers that a Position has.
template <position Position>
void check_range(const char* function, std::int64_t first, std::size_t count) {
  constexpr std::int64_t highest = std::numeric_limits<Position>::max();
  if (count == 0) return;
  if (first >= std::numeric_limits<Position>::min() && first <= highest &&
      count - 1 <= static_cast<std::uint64_t>(highest) - static_cast<std::uint64_t>(first)) {
    return;
  }
  throw error(
      "positions-value", std::string("positions::") + function,
      std::to_string(count) + " positions from " + std::to_string(first) + " on do not fit in " +
          std::to_string(8 * sizeof(Position)) + " bits",
      sizeof(Position) < sizeof(std::int64_t) ? "give memory for positions of 64 bits" : "begin with a lower position");
}

// Writes one row for each length: its tokens' positions from the index `start(length)` on.
template <position Position, class Start>
void padded(const char* function, std::span<const std::int64_t> lengths, std::int64_t width, std::span<Position> out,
            Start start) {
  for (const std::int64_t length : lengths) check_length(function, length, width);
  check_size(function, out.size(), product(lengths.size(), static_cast<std::size_t>(width)));
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
// before it. Throws error[positions-value] for positions that do not fit.
template <position Position>
void consecutive(std::span<Position> out, std::int64_t first = 0) {
  detail::check_range<Position>("consecutive", first, out.size());
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

// Writes the positions of a batch whose padding a mask tells: Hugging Face's `attention_mask` of [batch, kv_seq], rows
// of `width` places one after another, 1 for a token and 0 for padding, which may be before the tokens, after them or
// between them. In each row the tokens' positions are 0, 1, ... in their order, and padding is `nowhere`. For tokens
// these are the `position_ids` that transformers makes of a mask (its padding has 1 there, and would be visible). Where
// there is padding between tokens, transformers' windows count its places too, unless attention is flash-attention; for
// that give the places to from_position_ids. The positions of keys; those of the queries are the row's last.
// Throws error[positions-mask] for a number that is neither 0 nor 1, error[positions-size] for a mask that is not rows
// of `width`, or memory of another size.
template <number Flag, std::size_t Extent, position Position>
void from_attention_mask(std::span<Flag, Extent> attention_mask, std::int64_t width, std::span<Position> out) {
  constexpr const char* function = "from_attention_mask";
  detail::check_rows(function, attention_mask.size(), width, out.size());
  const auto places = static_cast<std::size_t>(width);
  detail::check_mask(function, std::span<Flag>(attention_mask), places);
  std::int64_t tokens = 0;
  for (std::size_t at = 0; at < out.size(); ++at) {
    if (at % places == 0) tokens = 0;
    out[at] = static_cast<Position>(attention_mask[at] != 0 ? tokens++ : nowhere);
  }
}

// Writes the positions that somebody else has numbered: `position_ids` where `attention_mask` is 1, and `nowhere` where
// it is 0, whatever the ids of padding are. All three have the same size; positions may jump and repeat. `out` may be
// the memory of `position_ids`. Throws error[positions-mask] for a mask of other numbers than 0 and 1,
// error[positions-value] for a token's id that is negative or does not fit, error[positions-size] when sizes differ.
template <number Id, std::size_t IdExtent, number Flag, std::size_t FlagExtent, position Position>
void from_position_ids(std::span<Id, IdExtent> position_ids, std::span<Flag, FlagExtent> attention_mask,
                       std::span<Position> out) {
  constexpr const char* function = "from_position_ids";
  if (position_ids.size() != attention_mask.size()) {
    throw error("positions-size", std::string("positions::") + function,
                "there are " + std::to_string(position_ids.size()) + " position_ids, and an attention_mask of " +
                    std::to_string(attention_mask.size()) + " elements",
                "give both for the same tokens: of a mask of [batch, kv_seq] the places of the ids");
  }
  detail::check_size(function, out.size(), position_ids.size());
  detail::check_mask(function, std::span<Flag>(attention_mask), attention_mask.size());
  constexpr std::int64_t highest = std::numeric_limits<Position>::max();
  for (std::size_t at = 0; at < out.size(); ++at) {
    const auto id = static_cast<std::int64_t>(position_ids[at]);
    if (attention_mask[at] == 0 || (id >= 0 && id <= highest)) continue;
    throw error(
        "positions-value", std::string("positions::") + function,
        "the token in place " + std::to_string(at) + " has the position " + std::to_string(position_ids[at]),
        "give a token a position from 0 to " + std::to_string(highest) + ", or padding a 0 in the attention_mask");
  }
  for (std::size_t at = 0; at < out.size(); ++at) {
    out[at] = static_cast<Position>(attention_mask[at] != 0 ? static_cast<std::int64_t>(position_ids[at]) : nowhere);
  }
}

// Writes a row of documents as flash-attention's `cu_seqlens` tells them: document i is the places cu_seqlens[i] to
// cu_seqlens[i + 1] - 1; else as packed. Throws error[positions-offsets] for offsets that do not begin with 0, that
// fall, or that go beyond the row, error[positions-size] when the sizes of `documents` and `out` differ.
template <number Offset, std::size_t Extent, position Position>
void from_cu_seqlens(std::span<Offset, Extent> cu_seqlens, std::span<Position> documents, std::span<Position> out) {
  detail::check_offsets("from_cu_seqlens", std::span<Offset>(cu_seqlens), out.size());
  detail::check_size("from_cu_seqlens", documents.size(), out.size());
  for (Position& document : documents) document = nowhere;
  for (Position& token : out) token = nowhere;
  for (std::size_t document = 0; document + 1 < cu_seqlens.size(); ++document) {
    const auto begin = static_cast<std::size_t>(cu_seqlens[document]);
    const auto end = static_cast<std::size_t>(cu_seqlens[document + 1]);
    for (std::size_t at = begin; at < end; ++at) {
      documents[at] = static_cast<Position>(document);
      out[at] = static_cast<Position>(at - begin);
    }
  }
}

// The number of slots that a cache needs so that every query of a chunk still finds the keys of its window: `window`
// for the first query, one for each further token of the chunk, and `sink_count` for the first tokens of the sequence,
// if they are kept. With `window` slots, a chunk is one token.
[[nodiscard]] constexpr std::int64_t ring_capacity(std::int64_t window, std::int64_t longest_chunk,
                                                   std::int64_t sink_count = 0) {
  return sink_count + window + longest_chunk - 1;
}

// The positions of the keys in a cache that wraps, in the caller's memory, one for each slot, which is the side input
// of the keys. The first `sink_count` tokens have the first slots and keep them, for a mask of causal & (window |
// sinks); the token at position p >= sink_count is in slot sink_count + (p - sink_count) % (slots.size() - sink_count).
// A position is that in the sequence, also where a model is given other numbers for its rotary embedding, as in
// StreamingLLM.
template <position Position>
class ring {
 public:
  // An empty cache. Throws error[ring-capacity] when `window`, in keys, is below 1, `sink_count` below 0, or both
  // together are more than slots.size().
  ring(std::span<Position> slots, std::int64_t window, std::int64_t sink_count = 0)
      : slots_(slots), window_(window), sinks_(sink_count) {
    if (window < 1 || sink_count < 0 || window > capacity() - sink_count) {
      throw error("ring-capacity", "positions::ring",
                  "a window of " + std::to_string(window) + " keys " + and_sinks() + "is to be kept in " +
                      std::to_string(slots.size()) + " slots",
                  sink_count == 0 ? "give at least a slot for each key of the window, and a window of at least 1"
                                  : "give at least a slot for each sink and each key of the window, a window of at "
                                    "least 1, and sinks of at least 0");
    }
    for (Position& slot : slots_) slot = nowhere;
  }

  // The number of tokens up to now, which is the position of the next.
  [[nodiscard]] std::int64_t tokens() const { return tokens_; }

  // Adds the next `count` tokens: to be called for each chunk before its logits are masked. Throws error[ring-capacity]
  // and changes nothing when the chunk would overwrite keys that its own first query sees.
  void append(std::int64_t count) {
    // The keys of the window before the chunk that it still sees, without sinks; and the slots for them and the chunk.
    const std::int64_t seen = tokens_ > oldest_seen(tokens_) ? tokens_ - oldest_seen(tokens_) : 0;
    const std::int64_t sinks_to_come = tokens_ < sinks_ ? sinks_ - tokens_ : 0;
    if (count < 0 || count > wrapping() - seen + sinks_to_come) {
      throw error("ring-capacity", "positions::ring",
                  "a chunk of " + std::to_string(count) + " tokens and the " + std::to_string(seen) +
                      " keys before it that are in its window are more than the " +
                      std::to_string(wrapping() + sinks_to_come) + " slots" +
                      (sinks_ == 0 ? "" : " that are not taken by sinks"),
                  "give chunks of at most " + std::to_string(wrapping() - window_ + 1) +
                      " tokens, or the slots that ring_capacity tells");
    }
    for (std::int64_t token = 0; token < count; ++token, ++tokens_) {
      const std::int64_t slot = tokens_ < sinks_ ? tokens_ : sinks_ + (tokens_ - sinks_) % wrapping();
      slots_[static_cast<std::size_t>(slot)] = static_cast<Position>(tokens_);
    }
    if (most_ < tokens_) most_ = tokens_;
  }

  // Removes the last tokens until `tokens` are left: a rejected draft, an edited prompt. The keys that they overwrote
  // do not come back. Throws error[ring-capacity] and changes nothing when the next query would see one of those.
  void trim(std::int64_t tokens) {
    // The oldest key that is there, sinks aside.
    const std::int64_t oldest = most_ > capacity() ? most_ - wrapping() : sinks_;
    if (tokens < 0 || tokens > tokens_ || (tokens > sinks_ && oldest_seen(tokens) < oldest)) {
      throw error("ring-capacity", "positions::ring",
                  "it cannot go back from " + std::to_string(tokens_) + " tokens to " + std::to_string(tokens) +
                      (tokens < 0 || tokens > tokens_ ? "" : ": keys of that window are gone"),
                  "go back to a number of tokens whose window is there, to " +
                      (sinks_ == 0 ? std::string("0") : "the sinks' " + std::to_string(sinks_) + " or fewer") +
                      ", or give more slots");
    }
    for (Position& slot : slots_) {
      if (slot >= tokens) slot = nowhere;
    }
    tokens_ = tokens;
    if (tokens <= sinks_) most_ = tokens;
  }

 private:
  [[nodiscard]] std::int64_t capacity() const { return static_cast<std::int64_t>(slots_.size()); }
  // How many slots take turns.
  [[nodiscard]] std::int64_t wrapping() const { return capacity() - sinks_; }
  // The first position after the sinks that the query at `tokens` sees.
  [[nodiscard]] std::int64_t oldest_seen(std::int64_t tokens) const {
    const std::int64_t first = tokens >= window_ ? tokens - window_ + 1 : 0;
    return first > sinks_ ? first : sinks_;
  }
  [[nodiscard]] std::string and_sinks() const { return sinks_ == 0 ? "" : "and " + std::to_string(sinks_) + " sinks "; }

  std::span<Position> slots_;
  std::int64_t window_;
  std::int64_t sinks_;
  std::int64_t tokens_ = 0;
  std::int64_t most_ =
      0;  // the most tokens since the slots that wrap were empty: what they overwrote does not come back
};

}  // namespace axismask::positions
