// The second part of the demo: every layer attends, and its result is compared with plain loops in double.
#include "attending.hpp"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <limits>
#include <random>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "axismask/attention.hpp"

namespace gemma3 {
namespace {

using axismask::axes;
using axismask::named_array;

// Gemma 3 1B: 4 query heads share 1 key head of 256.
constexpr std::int64_t heads = 4;
constexpr std::int64_t head_size = 256;

struct attention_arrays {
  named_array<float, axes<"batch", "heads", "seq", "projection">> queries;
  named_array<float, axes<"batch", "kv_seq", "projection">> keys;
  named_array<float, axes<"batch", "kv_seq", "projection">> values;
  named_array<float, axes<"batch", "heads", "seq", "projection">> out;

  attention_arrays(std::int64_t batch, std::int64_t tokens)
      : queries({batch, heads, tokens, head_size}),
        keys({batch, tokens, head_size}),
        values({batch, tokens, head_size}),
        out({batch, heads, tokens, head_size}) {
    std::mt19937 random(5);
    std::normal_distribution<float> normal;
    for (auto* array : {&keys, &values})
      std::generate_n(array->data(), array->element_count(), [&] { return normal(random); });
    std::generate_n(queries.data(), queries.element_count(), [&] { return normal(random); });
  }
};

// A layer's `keep` with the numbers of the layer.
class reference_mask {
 public:
  explicit reference_mask(const axismask::any_layer& layer) : layer_(layer), numbers_(layer.type().operands.size(), 0) {
    for (std::size_t place = 2; place < numbers_.size(); ++place) {
      numbers_[place] = layer.values().attributes[layer.type().operands[place]].number;
    }
  }
  [[nodiscard]] bool keeps(std::int64_t query, std::int64_t key) {
    numbers_[0] = query;
    numbers_[1] = key;
    return layer_.type().keep(numbers_);
  }

 private:
  const axismask::any_layer& layer_;
  std::vector<std::int64_t> numbers_;
};

// The largest difference in some rows from the softmax in double. Rows that see nothing are all zeros.
double largest_difference(const axismask::any_layer& layer, const positions_array& positions,
                          const attention_arrays& arrays) {
  const auto [batch, tokens] = as_view(positions).sizes();
  reference_mask mask(layer);
  double largest = 0;
  for (std::int64_t row = 0; row < batch * tokens; row += tokens / 16 - 1) {
    const std::int64_t in_batch = row / tokens;
    const std::int64_t query = row % tokens;
    const std::int64_t head = row % heads;
    std::vector<double> weights(static_cast<std::size_t>(tokens), 0.0);
    double total = 0;
    for (std::int64_t key = 0; key < tokens; ++key) {
      if (!mask.keeps(positions(in_batch, query), positions(in_batch, key))) continue;
      double score = 0;
      for (std::int64_t d = 0; d < head_size; ++d) {
        score += static_cast<double>(arrays.queries(in_batch, head, query, d)) *
                 static_cast<double>(arrays.keys(in_batch, key, d));
      }
      const double weight = std::exp(score / std::sqrt(static_cast<double>(head_size)));
      weights[static_cast<std::size_t>(key)] = weight;
      total += weight;
    }
    for (std::int64_t d = 0; d < head_size; ++d) {
      double sum = 0;
      for (std::int64_t key = 0; key < tokens; ++key) {
        sum += weights[static_cast<std::size_t>(key)] * static_cast<double>(arrays.values(in_batch, key, d));
      }
      const double want = total == 0 ? 0 : sum / total;
      largest = std::max(largest, std::abs(want - static_cast<double>(arrays.out(in_batch, head, query, d))));
    }
  }
  return largest;
}

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

// What attention is without it: logits in memory, masked by the layer, a softmax over them, and the second
// multiplication; the multiplications by plain loops that the compiler makes vectors of. In milliseconds.
double time_with_logits(const axismask::any_layer& layer, const positions_array& positions, attention_arrays& arrays) {
  const auto [batch, tokens] = as_view(positions).sizes();
  named_array<float, axes<"batch", "heads", "seq", "kv_seq">> logits({batch, heads, tokens, tokens});
  named_array<float, axes<"batch", "projection", "kv_seq">> columns({batch, head_size, tokens});
  for (std::int64_t in_batch = 0; in_batch < batch; ++in_batch) {
    for (std::int64_t key = 0; key < tokens; ++key) {
      for (std::int64_t d = 0; d < head_size; ++d) columns(in_batch, d, key) = arrays.keys(in_batch, key, d);
    }
  }
  const auto start = std::chrono::steady_clock::now();
  for_each_index(batch * heads * tokens, [&](std::int64_t row) {
    float* out = logits.data() + row * tokens;
    std::fill_n(out, tokens, 0.0F);
    for (std::int64_t d = 0; d < head_size; ++d) {
      const float query = arrays.queries.data()[row * head_size + d] / 16;
      const float* key = &columns(row / (heads * tokens), d, 0);
      for (std::int64_t at = 0; at < tokens; ++at) out[at] += query * key[at];
    }
  });
  layer.apply_in_place(logits, {{"token_positions", positions}});
  for_each_index(batch * heads * tokens, [&](std::int64_t row) {
    float* weights = logits.data() + row * tokens;
    float* out = arrays.out.data() + row * head_size;
    const float largest = *std::max_element(weights, weights + tokens);
    float total = 0;
    for (std::int64_t at = 0; at < tokens; ++at) total += weights[at] = std::exp(weights[at] - largest);
    std::fill_n(out, head_size, 0.0F);
    for (std::int64_t at = 0; at < tokens; ++at) {
      const float weight = weights[at] / total;
      const float* value = &arrays.values(row / (heads * tokens), at, 0);
      for (std::int64_t d = 0; d < head_size; ++d) out[d] += weight * value[d];
    }
  });
  return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start).count();
}

}  // namespace

std::int64_t attend_with_all(const axismask::Model& model, const positions_array& positions) {
  const auto [batch, tokens] = as_view(positions).sizes();
  attention_arrays arrays(batch, tokens);
  std::printf("\nThe same layers attend: %ld query heads of %ld share a key head, scores are never in memory\n",
              long{heads}, long{head_size});
  std::printf("\n%-10s  %-37s  %8s  %22s  %s\n", "layer", "type", "ms", "plain loops, logits", "from the reference");
  constexpr double most = 1e-5;
  std::int64_t far = 0;
  double total = 0;
  std::set<std::string_view> seen;
  for (const axismask::any_layer& layer : model.layers()) {
    axismask::layer_values values = layer.values();
    values.empty_rows = axismask::empty_row_rule::zeros;
    std::string before;
    if (seen.insert(layer.type().name).second) {
      before = std::to_string(static_cast<int>(time_with_logits(layer, positions, arrays))) + " ms";
    }
    double best = std::numeric_limits<double>::infinity();
    for (int repeat = 0; repeat < 2; ++repeat) {
      const auto start = std::chrono::steady_clock::now();
      axismask::attend(values, {arrays.queries, arrays.keys, arrays.values, arrays.out},
                       {{"token_positions", positions}});
      const std::chrono::duration<double, std::milli> taken = std::chrono::steady_clock::now() - start;
      best = std::min(best, taken.count());
    }
    total += best;
    const double difference = largest_difference(layer, positions, arrays);
    far += difference > most ? 1 : 0;
    std::printf("%-10s  %-37s  %8.1f  %22s  %.1e%s\n", layer.name().c_str(), std::string(layer.type().name).c_str(),
                best, before.c_str(), difference, difference > most ? "  TOO FAR" : "");
    std::fflush(stdout);
  }
  std::printf(
      "\nAll layers together attend in %.0f ms. Plain loops, logits: the two multiplications by loops of this program, "
      "the\n"
      "logits masked and a softmax taken between them, for one layer of each type.\n",
      total);
  return far;
}

}  // namespace gemma3
