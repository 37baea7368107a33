// Runs every mask layer of a Gemma 3 1B spec on logits of a real shape, and compares each result with the reference:
// the layer's own `keep`, read with whole numbers, element by element. Then the layers attend. Prints tables and one
// line to act on.
#include <algorithm>
#include <array>
#include <atomic>
#include <bit>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <exception>
#include <limits>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "attending.hpp"
#include "axismask/array.hpp"
#include "axismask/linked.hpp"
#include "axismask/model.hpp"

namespace {

using axismask::axes;
using axismask::named_array;

// Gemma 3 1B: 4 query heads of 256, 1 key head; a batch of two prompts of 2048 tokens, the second padded on the left.
constexpr std::int64_t batch = 2;
constexpr std::int64_t heads = 4;
std::int64_t tokens = 2048;  // or the second argument, which is for slow machines
std::string device = "cpu";  // or the third, which may be a device such as "opencl"
constexpr std::int64_t head_size = 256;
constexpr std::int64_t padding = 300;

using logits_array = named_array<float, axes<"batch", "heads", "seq", "kv_seq">>;
using gemma3::positions_array;

// Runs `work(index)` for each index, on all processors.
template <class Work>
void for_each_index(std::int64_t count, Work work) {
  std::atomic<std::int64_t> next{0};
  std::vector<std::thread> threads;
  for (unsigned thread = 0; thread < std::max(1U, std::thread::hardware_concurrency()); ++thread) {
    threads.emplace_back([&] {
      for (std::int64_t index = next++; index < count; index = next++) work(index);
    });
  }
  for (std::thread& thread : threads) thread.join();
}

// q·k / sqrt(head_size) for random queries and keys.
void compute_logits(logits_array& logits) {
  std::mt19937 random(3);
  std::normal_distribution<float> normal;
  named_array<float, axes<"batch", "heads", "seq", "projection">> queries({batch, heads, tokens, head_size});
  named_array<float, axes<"batch", "projection", "kv_seq">> keys({batch, head_size, tokens});
  std::generate_n(queries.data(), queries.element_count(), [&] { return normal(random) / 16; });
  std::generate_n(keys.data(), keys.element_count(), [&] { return normal(random); });
  for_each_index(batch * heads * tokens, [&](std::int64_t row) {
    const std::int64_t in_batch = row / (heads * tokens);
    float* out = logits.data() + row * tokens;
    std::fill_n(out, tokens, 0.0F);
    for (std::int64_t at = 0; at < head_size; ++at) {
      const float query = queries.data()[row * head_size + at];
      const float* key = &keys(in_batch, at, 0);
      for (std::int64_t k = 0; k < tokens; ++k) out[k] += query * key[k];
    }
  });
}

struct comparison {
  std::int64_t kept = 0;
  std::int64_t different = 0;
};

// The reference loops.
comparison compare(const axismask::any_layer& layer, const positions_array& positions, const logits_array& logits,
                   const logits_array& result) {
  const auto masked = static_cast<float>(layer.values().masked_out_value.number());
  // `keep`'s operands: the positions of query and key, then the layer's numbers.
  std::vector<std::int64_t> numbers(layer.type().operands.size(), 0);
  for (std::size_t place = 2; place < numbers.size(); ++place) {
    numbers[place] = layer.values().attributes[layer.type().operands[place]].number;
  }
  std::atomic<std::int64_t> kept{0};
  std::atomic<std::int64_t> different{0};
  for_each_index(batch * tokens, [&](std::int64_t index) {
    const std::int64_t in_batch = index / tokens;
    const std::int64_t query = index % tokens;
    std::vector<std::int64_t> operands = numbers;
    operands[0] = positions(in_batch, query);
    for (std::int64_t key = 0; key < tokens; ++key) {
      operands[1] = positions(in_batch, key);
      const bool keep = layer.type().keep(operands);
      kept += keep ? heads : 0;
      for (std::int64_t head = 0; head < heads; ++head) {
        const float want = keep ? logits(in_batch, head, query, key) : masked;
        if (std::bit_cast<std::uint32_t>(want) != std::bit_cast<std::uint32_t>(result(in_batch, head, query, key))) {
          ++different;
        }
      }
    }
  });
  return {kept, different};
}

int run(const char* spec) {
  const axismask::Model model = axismask::Model::load(spec);
  std::printf(
      "Computing q·k in float32: batch %ld (one prompt padded by %ld on the left), %ld heads, %ld x %ld tokens\n",
      long{batch}, long{padding}, long{heads}, long{tokens}, long{tokens});
  logits_array logits({batch, heads, tokens, tokens});
  compute_logits(logits);
  positions_array positions({batch, tokens});
  for (std::int64_t token = 0; token < tokens; ++token) {
    positions(0, token) = static_cast<std::int32_t>(token);
    positions(1, token) = static_cast<std::int32_t>(std::max<std::int64_t>(token - padding, -1));
  }
  logits_array result({batch, heads, tokens, tokens});
  std::fill_n(result.data(), result.element_count(), std::numeric_limits<float>::quiet_NaN());  // its pages exist now

  std::printf("\n%-10s  %-37s  %-32s  %-7s  %6s  %6s  %5s  %s\n", "layer", "type", "keeps where", "kernel", "kept %",
              "ms", "GB/s", "reference");
  std::int64_t wrong_layers = 0;
  double total_ms = 0;
  const double bytes = 2.0 * sizeof(float) * static_cast<double>(logits.element_count());
  for (const axismask::any_layer& layer : model.layers()) {
    double best_ms = std::numeric_limits<double>::infinity();
    for (int repeat = 0; repeat < 3; ++repeat) {
      const auto start = std::chrono::steady_clock::now();
      layer.apply({.device = device}, logits, result, {{"token_positions", positions}});
      const std::chrono::duration<double, std::milli> taken = std::chrono::steady_clock::now() - start;
      best_ms = std::min(best_ms, taken.count());
    }
    total_ms += best_ms;
    const comparison found = compare(layer, positions, logits, result);
    wrong_layers += found.different > 0 ? 1 : 0;
    const axismask::linked_layer& linked = *axismask::find_linked_layer(layer.type().name);
    const std::string_view variant = device == "cpu" ? axismask::chosen_variant(linked) : device;
    std::printf("%-10s  %-37s  %-32s  %-7s  %6.2f  %6.2f  %5.1f  %s\n", layer.name().c_str(),
                std::string(layer.type().name).c_str(), layer.formula().c_str(), std::string(variant).c_str(),
                100.0 * static_cast<double>(found.kept) / static_cast<double>(logits.element_count()), best_ms,
                bytes / best_ms / 1e6, found.different == 0 ? "equal" : "DIFFERS");
    std::fflush(stdout);
  }
  std::printf("\nAll layers together: %.1f ms, best of 3 each, out of place, %.0f MB read and written a layer.\n",
              total_ms, bytes / 1e6);
  if (wrong_layers > 0) {
    std::printf("%ld of %zu layers differ from the reference: this is a bug in axismask; please report this table.\n",
                long{wrong_layers}, model.layers().size());
    return 1;
  }
  const std::int64_t far_layers = gemma3::attend_with_all(model, positions);
  if (far_layers > 0) {
    std::printf(
        "%ld of %zu layers attend otherwise than the reference: this is a bug in axismask; please report this table.\n",
        long{far_layers}, model.layers().size());
    return 1;
  }
  std::printf(
      "All %zu layers mask bit for bit as the reference, and attend as it does. Your own arrays: "
      "build/release/bin/axismask apply %s --help\n",
      model.layers().size(), spec);
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    if (argc > 2) tokens = std::max(std::stol(argv[2]), long{padding});
    if (argc > 3) device = argv[3];
    return run(argc > 1 ? argv[1] : "examples/gemma3/model.json");
  } catch (const std::exception& problem) {
    std::fprintf(stderr, "%s\n", problem.what());
    return 2;
  }
}
