// A call of a layer for which no library has kernels: the program does not link.
#include <array>
#include <cstdint>

#include "own_layers.hpp"

int main() {
  std::array<float, 1> logits{1};
  const std::array<std::int32_t, 1> positions{0};
  const axismask::named_view<float, axismask::axes<"seq", "kv_seq">> view(logits.data(), {1, 1});
  const axismask::named_view<const std::int32_t, axismask::axes<"seq">> tokens(positions.data(), {1});
  ApplyOwnMask{.masked_out_value = 0}.apply_in_place(view, axismask::input<"token_positions">(tokens));
}
