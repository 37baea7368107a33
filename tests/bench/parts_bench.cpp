// Microbenchmarks of the parts of a call: what each costs by itself. `scripts/bench --parts` runs them.
#include <benchmark/benchmark.h>

#include <array>
#include <cstdint>
#include <numeric>
#include <string>
#include <vector>

#include "axismask.h"
#include "axismask/layers.hpp"
#include "axismask/linked.hpp"
#include "axismask/model.hpp"
#include "axismask/plan.hpp"
#include "direct_call.hpp"

namespace {

using namespace axismask;

constexpr const char* one_layer = R"({"axismask": 1, "model": "parts", "layers": [
  {"name": "local", "type": "ApplyCausalSlidingWindowAttentionMask", "masked_out_value": -1e9,
   "sliding_window_size": 1024}]})";

// Gemma 3 1B's number of layers, every sixth of them global.
std::string spec_of_26_layers() {
  std::string layers;
  for (int layer = 0; layer < 26; ++layer) {
    const bool global = layer % 6 == 5;
    layers += (layer > 0 ? ", " : "") + std::string(R"({"name": "layers.)") + std::to_string(layer) +
              (global ? R"(", "type": "ApplyCausalAttentionMask", "masked_out_value": -1e9})"
                      : R"(", "type": "ApplyCausalSlidingWindowAttentionMask", "masked_out_value": -1e9,
                           "sliding_window_size": 512})");
  }
  return R"({"axismask": 1, "model": "parts", "layers": [)" + layers + "]}";
}

// Logits of one head, and positions 0, 1, 2, ...
struct arrays {
  explicit arrays(std::int64_t tokens) : logits({1, tokens, tokens}), positions({tokens}) {
    std::fill_n(logits.data(), logits.element_count(), 1.0F);
    std::iota(positions.data(), positions.data() + tokens, 0);
  }

  named_array<float, axes<"heads", "seq", "kv_seq">> logits;
  named_array<std::int32_t, axes<"seq">> positions;
};

// Binding and dispatch: an array so small that its elements cost nothing.
void apply_tiny_dynamic(benchmark::State& state) {
  const Model model = Model::parse(one_layer, "parts");
  const any_layer& layer = model.layers()[0];
  arrays tiny(8);
  const std::array<side_input, 1> inputs{side_input{"token_positions", tiny.positions.view().erased()}};
  const any_view logits = tiny.logits.view().erased();
  for (auto _ : state) layer.apply_in_place(logits, inputs);
}
BENCHMARK(apply_tiny_dynamic);

// The same through C: what the handle, the arrays and the status cost. It is to stay within 100 ns of the one above.
void apply_tiny_c(benchmark::State& state) {
  axismask_model* model = nullptr;
  const axismask_layer* layer = nullptr;
  const std::string spec = one_layer;
  axismask_model_parse(spec.data(), spec.size(), "parts", &model);
  axismask_model_layer_at(model, 0, &layer);
  arrays tiny(8);
  const std::array<std::int64_t, 3> shape{1, 8, 8};
  const std::array<const char*, 3> axes{"heads", "seq", "kv_seq"};
  const axismask_array logits{tiny.logits.data(), AXISMASK_FLOAT32, AXISMASK_HOST, 3, 0,
                              shape.data(),       nullptr,          axes.data()};
  const axismask_input positions{
      "token_positions", {tiny.positions.data(), AXISMASK_INT32, AXISMASK_HOST, 1, 1, &shape[1], nullptr, &axes[1]}};
  for (auto _ : state) {
    if (axismask_layer_apply_in_place(layer, &logits, &positions, 1, nullptr) != AXISMASK_OK) {
      state.SkipWithError(axismask_last_error()->line);
    }
  }
  axismask_model_free(model);
}
BENCHMARK(apply_tiny_c);

void apply_tiny_static(benchmark::State& state) {
  const ApplyCausalSlidingWindowAttentionMask<> layer{.masked_out_value = -1e9, .sliding_window_size = 1024};
  arrays tiny(8);
  const auto logits = tiny.logits.view();
  for (auto _ : state) layer.apply_in_place(logits, input<"token_positions">(tiny.positions));
}
BENCHMARK(apply_tiny_static);

// The kernel that both of them call, by itself: one query and so many keys.
void one_kernel_call(benchmark::State& state) {
  const Model model = Model::parse(one_layer, "parts");
  std::vector<float> row(static_cast<std::size_t>(state.range(0)), 1.0F);
  std::vector<std::int32_t> positions(row.size());
  std::iota(positions.begin(), positions.end(), 0);
  std::int32_t query = static_cast<std::int32_t>(state.range(0)) - 1;
  const named_view<float, axes<"seq", "kv_seq">> logits(row.data(), {1, state.range(0)});
  const named_view<std::int32_t, axes<"seq">> of_query(&query, {1});
  const named_view<std::int32_t, axes<"seq">> of_keys(positions.data(), {state.range(0)});
  const std::array<side_input, 2> inputs{side_input{"query", of_query.erased()}, side_input{"keys", of_keys.erased()}};
  bench::direct_call call(model.layers()[0].values(), logits.erased(), inputs, "");
  for (auto _ : state) {
    if (call() != 0) state.SkipWithError("the kernel failed");
  }
  state.SetBytesProcessed(state.iterations() * state.range(0) * 4);
}
BENCHMARK(one_kernel_call)->Arg(64)->Arg(1024)->Arg(8192);

void apply_in_place(benchmark::State& state) {
  const ApplyCausalSlidingWindowAttentionMask<> layer{.masked_out_value = -1e9, .sliding_window_size = 1024};
  arrays some(state.range(0));
  const auto logits = some.logits.view();
  for (auto _ : state) layer.apply_in_place(logits, input<"token_positions">(some.positions));
  state.SetBytesProcessed(state.iterations() * state.range(0) * state.range(0) * 4);
}
BENCHMARK(apply_in_place)->RangeMultiplier(2)->Range(64, 4096)->Unit(benchmark::kMicrosecond)->UseRealTime();

void find_a_layer(benchmark::State& state) {
  for (auto _ : state) benchmark::DoNotOptimize(find_linked_layer("ApplyCausalSlidingWindowAttentionMask"));
}
BENCHMARK(find_a_layer);

void choose_a_variant(benchmark::State& state) {
  const linked_layer& layer = *find_linked_layer("ApplyCausalSlidingWindowAttentionMask");
  for (auto _ : state) benchmark::DoNotOptimize(chosen_variant(layer));
}
BENCHMARK(choose_a_variant);

void plan_tiles(benchmark::State& state) {
  const ApplyCausalSlidingWindowAttentionMask<> layer{.masked_out_value = -1e9, .sliding_window_size = 1024};
  std::vector<std::int32_t> positions(static_cast<std::size_t>(state.range(0)));
  std::iota(positions.begin(), positions.end(), 0);
  const named_view<std::int32_t, axes<"seq">> view(positions.data(), {state.range(0)});
  for (auto _ : state) benchmark::DoNotOptimize(plan(layer, {128, 128}, input<"token_positions">(view)));
}
BENCHMARK(plan_tiles)->RangeMultiplier(4)->Range(1 << 10, 1 << 20)->Unit(benchmark::kMicrosecond);

void load_spec(benchmark::State& state) {
  const std::string spec = spec_of_26_layers();
  for (auto _ : state) benchmark::DoNotOptimize(Model::parse(spec, "parts"));
}
BENCHMARK(load_spec)->Unit(benchmark::kMicrosecond);

}  // namespace
