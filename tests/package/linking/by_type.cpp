// A call that names a shipped layer's type, and so brings its library with it.
#include <array>
#include <axismask/layers.hpp>
#include <cstdint>

#include "engine.hpp"

std::string masked_by_type() {
  const axismask::ApplyCausalAttentionMask<> causal{.masked_out_value = 0};
  std::array<float, 9> logits{1, 1, 1, 1, 1, 1, 1, 1, 1};
  const std::array<std::int32_t, 3> positions{0, 1, 2};
  const axismask::named_view<float, axismask::axes<"seq", "kv_seq">> view(logits.data(), {3, 3});
  const axismask::named_view<const std::int32_t, axismask::axes<"seq">> tokens(positions.data(), {3});
  causal.apply_in_place(view, axismask::input<"token_positions">(tokens));
  std::string row;
  for (int key = 0; key < 3; ++key) row += logits[static_cast<std::size_t>(key)] == 1 ? "1 " : "0 ";
  return row;
}
