// Attention of queries that are all 0: each token's result is the mean of the values that it sees.
#include <axismask/attention.hpp>
#include <axismask/model.hpp>
#include <cstdint>
#include <cstdio>
#include <vector>

int main() {
  const axismask::Model model = axismask::Model::parse(
      R"({"axismask": 1, "model": "mean",
          "layers": [{"name": "mask", "type": "ApplyCausalAttentionMask", "masked_out_value": "-inf"}]})",
      "mean");
  constexpr int tokens = 5;
  std::vector<float> zeros(tokens * 8);
  std::vector<float> values(tokens);
  std::vector<float> out(tokens);
  std::vector<std::int32_t> positions(tokens);
  for (int token = 0; token < tokens; ++token) {
    values[static_cast<std::size_t>(token)] = static_cast<float>(token);
    positions[static_cast<std::size_t>(token)] = token;
  }
  using axismask::dtype;
  axismask::attend(model.layer("mask").values(),
                   {.queries = {zeros.data(), dtype::float32, {{"seq", tokens}, {"projection", 8}}},
                    .keys = {zeros.data(), dtype::float32, {{"kv_seq", tokens}, {"projection", 8}}},
                    .values = {values.data(), dtype::float32, {{"kv_seq", tokens}, {"projection", 1}}},
                    .out = {out.data(), dtype::float32, {{"seq", tokens}, {"projection", 1}}}},
                   {{"token_positions", axismask::any_view(positions.data(), dtype::int32, {{"seq", tokens}})}});
  for (const float one : out) std::printf(" %g", static_cast<double>(one));
  std::printf("\n");
}
