// Loads this project's spec, applies its layers to logits of this program's own, and shows what each keeps. Then the
// same layer called from C++, with its axes checked by the compiler.
#include <array>
#include <axismask/model.hpp>
#include <cstdint>
#include <cstdio>
#include <exception>
#include <numeric>
#include <span>
#include <vector>

#include "layers.hpp"

namespace {

constexpr std::int64_t tokens = 10;
constexpr std::int32_t left_padding = 1;

void show(const float* logits) {
  for (std::int64_t query = 0; query < tokens; ++query) {
    for (std::int64_t key = 0; key < tokens; ++key)
      std::printf(" %c", logits[query * tokens + key] == 1.0F ? 'x' : '.');
    std::printf("\n");
  }
}

void run(const char* spec) {
  std::vector<float> logits(tokens * tokens, 1.0F);
  std::vector<float> masked(tokens * tokens);
  std::vector<std::int32_t> positions(tokens);
  std::iota(positions.begin(), positions.end(), 0);

  // From the spec: the axes are names at run time.
  const axismask::Model model = axismask::Model::load(spec);
  const std::array<axismask::named_axis, 2> axes{{{"seq", tokens}, {"kv_seq", tokens}}};
  const auto x = axismask::any_view::dense(logits.data(), axismask::dtype::float32, axes);
  const auto y = axismask::any_view::dense(masked.data(), axismask::dtype::float32, axes);
  std::int32_t padding = left_padding;
  const std::array<axismask::side_input, 2> inputs{
      {{"token_positions", {positions.data(), axismask::dtype::int32, {{"seq", tokens, 1}}}},
       {"left_padding", {&padding, axismask::dtype::int32, {}}}}};
  for (const axismask::any_layer& layer : model.layers()) {
    // The causal layer takes the positions only.
    layer.apply(x, y, std::span(inputs).first(layer.name() == "layers.0" ? 2 : 1));
    std::printf("%s: %s\n", layer.name().c_str(), layer.formula().c_str());
    show(masked.data());
  }

  // From C++: the axes are part of the types.
  const axismask::named_view<float, axismask::axes<"seq", "kv_seq">> view(logits.data(), {tokens, tokens});
  const axismask::named_view<std::int32_t, axismask::axes<"seq">> at(positions.data(), {tokens});
  const axismask::named_view<std::int32_t, axismask::axes<>> padded(&padding, {});
  const example::ApplyPaddedChunkedAttentionMask chunked{.masked_out_value = axismask::masked_value::lowest(),
                                                         .attention_chunk_size = 5};
  const auto result = chunked(view, axismask::input<"token_positions">(at), axismask::input<"left_padding">(padded));
  std::printf("From C++, chunks of 5:\n");
  show(result.data());
}

}  // namespace

int main(int argc, char** argv) {
  try {
    run(argc > 1 ? argv[1] : "model.json");
    return 0;
  } catch (const std::exception& problem) {
    std::fprintf(stderr, "%s\n", problem.what());
    return 2;
  }
}
