// Times tile plans of the causal window for some numbers of tokens, and prints them as JSON for block_mask.py.
#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <numeric>
#include <vector>

#include "axismask/layers.hpp"
#include "axismask/plan.hpp"

namespace {

using namespace axismask;

void measure(std::int64_t tokens, bool last) {
  constexpr int repeats = 15;
  std::vector<std::int32_t> positions(static_cast<std::size_t>(tokens));
  std::iota(positions.begin(), positions.end(), 0);
  const named_view<std::int32_t, axes<"seq">> view(positions.data(), {tokens});
  const ApplyCausalSlidingWindowAttentionMask<> local{.masked_out_value = 0, .sliding_window_size = 1024};
  std::vector<double> milliseconds;
  tile_plan found;
  for (int repeat = 0; repeat < repeats; ++repeat) {
    const auto start = std::chrono::steady_clock::now();
    found = plan(local, {128, 128}, input<"token_positions">(view));
    milliseconds.push_back(std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start).count());
  }
  std::sort(milliseconds.begin(), milliseconds.end());
  std::printf("{\"tokens\": %lld, \"best_ms\": %.5f, \"median_ms\": %.5f", static_cast<long long>(tokens),
              milliseconds[0], milliseconds[repeats / 2]);
  const auto print = [](const char* name, const auto& numbers) {
    std::printf(", \"%s\": [", name);
    for (std::size_t at = 0; at < numbers.size(); ++at) {
      std::printf("%s%lld", at > 0 ? "," : "", static_cast<long long>(numbers[at]));
    }
    std::printf("]");
  };
  print("full_starts", found.full.starts);
  print("full_tiles", found.full.tiles);
  print("partial_starts", found.partial.starts);
  print("partial_tiles", found.partial.tiles);
  std::printf("}%s\n", last ? "" : ",");
}

}  // namespace

int main(int argc, char** argv) {
  std::printf("[\n");
  for (int argument = 1; argument < argc; ++argument) measure(std::atoll(argv[argument]), argument + 1 == argc);
  std::printf("]\n");
}
