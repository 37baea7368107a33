// An attention loop that skips by plan: tiles that are masked whole cost nothing, those that are kept whole need no
// mask, and the few that are cut are masked while their scores are in the cache. The softmax goes along (online), so
// that no row of scores is ever there in full. The result is compared with attention over all keys.
#include <algorithm>
#include <axismask/layers.hpp>
#include <axismask/plan.hpp>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <limits>
#include <numeric>
#include <vector>

using axismask::axes, axismask::input, axismask::named_view, axismask::verdict;
using matrix = std::vector<float>;  // row after row

constexpr std::int64_t tokens = 1024, size = 32, window = 256, tile = 64;
const float scale = 1 / std::sqrt(static_cast<float>(size));

// The mask. Queries and keys of a tile have positions of their own.
const axismask::ApplyCausalSlidingWindowAttentionMask<axismask::count, "query_positions", "key_positions"> local{
    .masked_out_value = axismask::masked_value::minus_infinity(), .sliding_window_size = window};

float* row(matrix& of, std::int64_t at) { return of.data() + at * size; }

// One query's softmax so far: its largest score, the sum of exponentials, and the values weighted by them.
struct running_softmax {
  float largest = -std::numeric_limits<float>::infinity();
  float sum = 0;
  float values[size] = {};

  void add(float score, const float* value) {
    if (score == -std::numeric_limits<float>::infinity()) return;
    const float before = largest;
    largest = std::max(largest, score);
    const float shrink = std::exp(before - largest);
    const float weight = std::exp(score - largest);
    sum = sum * shrink + weight;
    for (std::int64_t at = 0; at < size; ++at) values[at] = values[at] * shrink + weight * value[at];
  }
};

struct tensors {
  matrix queries, keys, values;
  std::vector<std::int32_t> positions;

  [[nodiscard]] float score(std::int64_t query, std::int64_t key) {
    return scale * std::inner_product(row(queries, query), row(queries, query) + size, row(keys, key), 0.0F);
  }
  [[nodiscard]] named_view<const std::int32_t, axes<"seq">> positions_from(std::int64_t first, std::int64_t count) {
    return {positions.data() + first, {count}};
  }
};

// One tile: computes its scores, masks them unless they are all kept, and adds them to the rows' softmaxes.
void attend(tensors& of, std::int64_t query, std::int64_t key, verdict kept, running_softmax* rows) {
  float scores[tile * tile];
  for (std::int64_t q = 0; q < tile; ++q) {
    for (std::int64_t k = 0; k < tile; ++k) scores[q * tile + k] = of.score(query + q, key + k);
  }
  if (kept == verdict::some) {
    const named_view<float, axes<"seq", "kv_seq">> view(scores, {tile, tile});
    local.apply_in_place(axismask::call_options{.threads = 1}, view,
                         input<"query_positions">(of.positions_from(query, tile)),
                         input<"key_positions">(of.positions_from(key, tile)));
  }
  for (std::int64_t q = 0; q < tile; ++q) {
    for (std::int64_t k = 0; k < tile; ++k) rows[q].add(scores[q * tile + k], row(of.values, key + k));
  }
}

int main() try {
  tensors of{matrix(tokens * size), matrix(tokens * size), matrix(tokens * size), std::vector<std::int32_t>(tokens)};
  std::uint32_t random = 1;
  for (matrix* one : {&of.queries, &of.keys, &of.values}) {
    for (float& element : *one) {
      random = random * 1664525U + 1013904223U;
      element = static_cast<float>(random >> 8U) / 8388608.0F - 1;
    }
  }
  std::iota(of.positions.begin(), of.positions.end(), 0);

  const axismask::tile_plan plan =
      axismask::plan(local, {tile, tile}, input<"query_positions">(of.positions_from(0, tokens)),
                     input<"key_positions">(of.positions_from(0, tokens)));
  matrix out(tokens * size);
  std::int64_t computed = 0;
  std::int64_t masked = 0;
  for (std::int64_t tile_row = 0; tile_row < plan.rows_per_plane; ++tile_row) {
    std::vector<running_softmax> rows(tile);
    for (const axismask::tile_run& run : plan.row(0, tile_row)) {
      if (run.kept == verdict::none) continue;  // nothing is computed, nothing is read
      for (std::int64_t column = run.begin; column < run.end; ++column) {
        attend(of, tile_row * tile, column * tile, run.kept, rows.data());
        ++computed;
        masked += run.kept == verdict::some ? 1 : 0;
      }
    }
    for (std::int64_t q = 0; q < tile; ++q) {
      for (std::int64_t at = 0; at < size; ++at)
        row(out, tile_row * tile + q)[at] = rows.data()[q].values[at] / rows.data()[q].sum;
    }
  }

  // The same over all keys, by the window itself.
  float difference = 0;
  for (std::int64_t query = 0; query < tokens; ++query) {
    running_softmax all;
    for (std::int64_t key = std::max<std::int64_t>(0, query - window + 1); key <= query; ++key) {
      all.add(of.score(query, key), row(of.values, key));
    }
    for (std::int64_t at = 0; at < size; ++at) {
      difference = std::max(difference, std::fabs(row(out, query)[at] - all.values[at] / all.sum));
    }
  }
  std::printf("%d of %d tiles computed, %d of them masked; %s\n", static_cast<int>(computed),
              static_cast<int>(plan.tile_count()), static_cast<int>(masked),
              difference < 1e-5F ? "equal to attention over all keys" : "NOT equal to attention over all keys");
  return difference < 1e-5F ? 0 : 1;
} catch (const axismask::error& problem) {
  std::fprintf(stderr, "%s\n", problem.what());
  return 2;
}
