// Whole conversations with a cache of keys that wraps: prefills in chunks, steps of decoding, drafts that are taken
// back. Each step's mask, by the kernels, is the mask of the full sequence: mlx-lm, litgpt, transformers and llama.cpp
// have all had bugs here.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <random>
#include <set>
#include <span>
#include <vector>

#include "axismask/layers.hpp"
#include "axismask/positions.hpp"

namespace axismask {
namespace {

using random_source = std::mt19937_64;

std::int64_t pick(random_source& random, std::int64_t lowest, std::int64_t highest) {
  return std::uniform_int_distribution<std::int64_t>(lowest, highest)(random);
}

class conversation {
 public:
  conversation(std::int64_t window, std::int64_t capacity)
      : window_(window), slots_(static_cast<std::size_t>(capacity)), cache_(std::span(slots_), window) {}

  // The next chunk of queries, masked by the kernels against the slots of the cache.
  void step(std::int64_t size) {
    const std::int64_t first = cache_.tokens();
    cache_.append(size);
    std::vector<std::int32_t> queries(static_cast<std::size_t>(size));
    positions::consecutive(std::span(queries), first);
    const auto capacity = static_cast<std::int64_t>(slots_.size());
    // A logit tells which key it is of.
    named_array<float, axes<"seq", "kv_seq">> logits({size, capacity});
    for (std::int64_t query = 0; query < size; ++query) {
      for (std::int64_t slot = 0; slot < capacity; ++slot) {
        logits(query, slot) = static_cast<float>(slots_[static_cast<std::size_t>(slot)]);
      }
    }
    const ApplyCausalSlidingWindowAttentionMask<count, "queries", "keys"> local{.masked_out_value = -2,
                                                                                .sliding_window_size = window_};
    local.apply_in_place(logits, input<"queries">(named_view<std::int32_t, axes<"seq">>(queries.data(), {size})),
                         input<"keys">(named_view<std::int32_t, axes<"seq">>(slots_.data(), {capacity})));
    for (std::int64_t query = 0; query < size; ++query) {
      std::multiset<std::int64_t> seen;
      for (std::int64_t slot = 0; slot < capacity; ++slot) {
        if (logits(query, slot) != -2) seen.insert(static_cast<std::int64_t>(logits(query, slot)));
      }
      std::multiset<std::int64_t> want;
      for (std::int64_t key = 0; key < cache_.tokens(); ++key) {
        if (keeps<ApplyCausalSlidingWindowAttentionMask<>>(first + query, key, window_)) want.insert(key);
      }
      ASSERT_EQ(seen, want) << "query " << first + query << ", window " << window_ << ", slots " << capacity;
    }
  }

  [[nodiscard]] positions::ring<std::int32_t>& cache() { return cache_; }

 private:
  std::int64_t window_;
  std::vector<std::int32_t> slots_;
  positions::ring<std::int32_t> cache_;
};

TEST(serving, every_step_of_a_conversation_has_the_mask_of_the_full_sequence) {
  random_source random(5);
  for (const auto& [window, capacity] :
       {std::array<std::int64_t, 2>{1, 1}, {1, 4}, {8, 8}, {8, 11}, {16, 31}, {100, 163}}) {
    conversation talk(window, capacity);
    const std::int64_t longest = capacity - window + 1;
    std::int64_t most = 0;
    while (most < 4 * capacity) {  // three wraps and more
      // A prefill in chunks, or a few steps of decoding.
      const bool decodes = pick(random, 0, 1) == 0;
      for (std::int64_t left = pick(random, 1, 3); left > 0; --left) {
        talk.step(decodes ? 1 : pick(random, 1, longest));
        if (HasFatalFailure()) return;
      }
      most = std::max(most, talk.cache().tokens());
      if (pick(random, 0, 1) == 0) {
        // As far back as the window of the next query is still there.
        const std::int64_t farthest = std::max<std::int64_t>(0, most - capacity + window - 1);
        talk.cache().trim(pick(random, std::min(farthest, talk.cache().tokens()), talk.cache().tokens()));
      }
    }
  }
}

TEST(serving, a_prefill_longer_than_the_window_goes_in_chunks) {
  constexpr std::int64_t window = 64;
  constexpr std::int64_t chunk = 48;
  conversation talk(window, positions::ring_capacity(window, chunk));
  for (std::int64_t tokens = 0; tokens < 500; tokens += chunk) talk.step(chunk);
  talk.step(500 % chunk);
  for (int step = 0; step < 200; ++step) talk.step(1);
}

}  // namespace
}  // namespace axismask
