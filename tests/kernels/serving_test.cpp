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

// With sinks the mask is causal & (window | sinks), else the causal window.
class conversation {
 public:
  conversation(std::int64_t window, std::int64_t capacity, std::int64_t sinks = 0)
      : window_(window),
        sinks_(sinks),
        slots_(static_cast<std::size_t>(capacity)),
        cache_(std::span(slots_), window, sinks) {}

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
    const named_view<std::int32_t, axes<"seq">> at(queries.data(), {size});
    const named_view<std::int32_t, axes<"seq">> cached(slots_.data(), {capacity});
    const ApplyCausalSlidingWindowAttentionMask<count, "queries", "keys"> local{.masked_out_value = -2,
                                                                                .sliding_window_size = window_};
    if (sinks_ == 0) {
      local.apply_in_place(logits, input<"queries">(at), input<"keys">(cached));
    } else {
      const ApplyCausalAttentionMask<"queries", "keys"> causal{.masked_out_value = -2};
      const ApplySinksAttentionMask<count, "keys"> sinks{.masked_out_value = -2, .sink_count = sinks_};
      (causal & (local | sinks)).apply_in_place(logits, input<"queries">(at), input<"keys">(cached));
    }
    for (std::int64_t query = 0; query < size; ++query) {
      std::multiset<std::int64_t> seen;
      for (std::int64_t slot = 0; slot < capacity; ++slot) {
        if (logits(query, slot) != -2) seen.insert(static_cast<std::int64_t>(logits(query, slot)));
      }
      std::multiset<std::int64_t> want;
      for (std::int64_t key = 0; key < cache_.tokens(); ++key) {
        const bool in_window = keeps<ApplyCausalSlidingWindowAttentionMask<>>(first + query, key, window_);
        if (in_window || (key < sinks_ && key <= first + query)) want.insert(key);
      }
      ASSERT_EQ(seen, want) << "query " << first + query << ", window " << window_ << ", slots " << capacity
                            << ", sinks " << sinks_;
    }
  }

  [[nodiscard]] positions::ring<std::int32_t>& cache() { return cache_; }

 private:
  std::int64_t window_;
  std::int64_t sinks_;
  std::vector<std::int32_t> slots_;
  positions::ring<std::int32_t> cache_;
};

// Prefills in chunks, steps of decoding, and going back, until the cache has wrapped three times and more.
void talk_at_random(random_source& random, conversation& talk, std::int64_t wrapping, std::int64_t window,
                    std::int64_t sinks) {
  const std::int64_t longest = wrapping - window + 1;
  std::int64_t most = 0;
  while (most < sinks + 4 * wrapping) {
    const bool decodes = pick(random, 0, 1) == 0;
    for (std::int64_t left = pick(random, 1, 3); left > 0; --left) {
      talk.step(decodes ? 1 : pick(random, 1, longest));
      if (testing::Test::HasFatalFailure()) return;
    }
    most = std::max(most, talk.cache().tokens());
    if (pick(random, 0, 1) == 0) {
      // As far back as the window of the next query is still there; now and then into the sinks, whose cache is as new.
      const bool to_sinks = sinks > 0 && pick(random, 0, 9) == 0;
      const std::int64_t farthest = std::max<std::int64_t>(0, most - wrapping + window - 1);
      const std::int64_t tokens = talk.cache().tokens();
      talk.cache().trim(to_sinks ? pick(random, 0, std::min(sinks, tokens))
                                 : pick(random, std::min(farthest, tokens), tokens));
      if (to_sinks) most = talk.cache().tokens();
    }
  }
}

TEST(serving, every_step_of_a_conversation_has_the_mask_of_the_full_sequence) {
  random_source random(5);
  for (const auto& [window, capacity] :
       {std::array<std::int64_t, 2>{1, 1}, {1, 4}, {8, 8}, {8, 11}, {16, 31}, {100, 163}}) {
    conversation talk(window, capacity);
    talk_at_random(random, talk, capacity, window, 0);
    if (HasFatalFailure()) return;
  }
}

TEST(serving, every_step_of_a_conversation_with_sinks_sees_them) {
  random_source random(6);
  for (const auto& [window, wrapping, sinks] : {std::array<std::int64_t, 3>{1, 1, 1},
                                                {1, 4, 2},
                                                {8, 8, 4},
                                                {8, 11, 1},
                                                {4, 9, 20},
                                                {16, 31, 4},
                                                {100, 163, 7}}) {
    conversation talk(window, sinks + wrapping, sinks);
    talk_at_random(random, talk, wrapping, window, sinks);
    if (HasFatalFailure()) return;
  }
}

// The whole prompt at once, then a thousand steps: the first tokens never leave.
TEST(serving, sinks_are_seen_a_thousand_steps_later) {
  constexpr std::int64_t window = 32;
  constexpr std::int64_t chunk = 20;
  constexpr std::int64_t sinks = 4;
  conversation talk(window, positions::ring_capacity(window, chunk, sinks), sinks);
  talk.step(chunk);
  for (int step = 0; step < 1000; ++step) talk.step(1);
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
