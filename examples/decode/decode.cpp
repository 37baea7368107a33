// A decode loop: the positions of a cache of keys that wraps, and each step masked once by a layer of C++ and once by a
// layer of a JSON model.
//
// A prompt of 7 tokens in chunks of 3, then 4 tokens one by one, with a cache of 6 keys that wraps.
#include <axismask/layers.hpp>
#include <axismask/model.hpp>
#include <axismask/positions.hpp>
#include <cstdint>
#include <cstdio>
#include <span>
#include <vector>

using axismask::axes, axismask::input, axismask::named_view;

int main() try {
  constexpr std::int64_t heads = 2, window = 4, longest_chunk = 3;
  constexpr std::int64_t capacity = axismask::positions::ring_capacity(window, longest_chunk);  // 6

  // The mask, once as a layer of C++ and once from the model. Queries and keys have positions of their own.
  const axismask::ApplyCausalSlidingWindowAttentionMask<axismask::count, "query_positions", "key_positions"> local{
      .masked_out_value = axismask::masked_value::lowest(), .sliding_window_size = window};
  const axismask::Model model = axismask::Model::load("decode.json");

  // The position of each slot's key, -1 where there is none.
  std::vector<std::int32_t> slots(capacity);
  axismask::positions::ring<std::int32_t> cache(slots, window);
  const named_view<std::int32_t, axes<"kv_seq">> keys(slots.data(), {capacity});

  for (const std::int64_t tokens : {3, 3, 1, 1, 1, 1, 1}) {
    std::vector<std::int32_t> positions(static_cast<std::size_t>(tokens));
    axismask::positions::consecutive(std::span(positions), cache.tokens());
    cache.append(tokens);  // the new keys take their slots before the logits are masked
    const named_view<std::int32_t, axes<"seq">> queries(positions.data(), {tokens});

    // Your attention computes these: each query by each slot.
    std::vector<float> memory(static_cast<std::size_t>(heads * tokens * capacity), 1.0F), again = memory;
    const named_view<float, axes<"heads", "seq", "kv_seq">> logits(memory.data(), {heads, tokens, capacity});
    local.apply_in_place(logits, input<"query_positions">(queries), input<"key_positions">(keys));

    // The same from the model.
    const named_view<float, axes<"heads", "seq", "kv_seq">> others(again.data(), {heads, tokens, capacity});
    model.layer("layers.0").apply_in_place(others, {{"query_positions", queries}, {"key_positions", keys}});

    std::printf("query %2d sees", positions.back());
    for (std::int64_t slot = 0; slot < capacity; ++slot) {
      if (logits(0, tokens - 1, slot) == 1.0F) std::printf(" %d", slots[static_cast<std::size_t>(slot)]);
    }
    std::printf("%s\n", memory == again ? "" : "; the model masks something else");
  }
} catch (const axismask::error& problem) {
  std::fprintf(stderr, "%s\n", problem.what());
  return 2;
}
