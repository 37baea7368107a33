// A call that names no type: which layers there are, the spec says.
#include <array>
#include <axismask/layer.hpp>
#include <axismask/model.hpp>
#include <cstdint>

#include "engine.hpp"

std::string masked_by_spec(const char* spec) try {
  const axismask::Model model = axismask::Model::load(spec);
  std::array<float, 9> logits{1, 1, 1, 1, 1, 1, 1, 1, 1};
  const std::array<std::int32_t, 3> positions{0, 1, 2};
  const axismask::named_view<float, axismask::axes<"seq", "kv_seq">> view(logits.data(), {3, 3});
  const axismask::named_view<const std::int32_t, axismask::axes<"seq">> tokens(positions.data(), {3});
  const std::array<axismask::side_input, 1> inputs{{{"token_positions", tokens.erased()}}};
  model.layer("layers.0").apply_in_place(view.erased(), inputs);
  std::string row;
  for (int key = 0; key < 3; ++key) row += logits[static_cast<std::size_t>(key)] == 1 ? "1 " : "0 ";
  return row;
} catch (const axismask::error& problem) {
  return problem.what();
}
