// A call of a composition, which has kernels of its own, and the names of the layers that the program has then.
#include <array>
#include <axismask/layers.hpp>
#include <axismask/linked.hpp>
#include <cstdint>
#include <cstdio>

int main() {
  using axismask::input;
  const axismask::ApplyCausalAttentionMask<> causal{.masked_out_value = 0};
  const axismask::ApplyDocumentAttentionMask<> document{.masked_out_value = 0};
  std::array<float, 9> logits{1, 1, 1, 1, 1, 1, 1, 1, 1};
  const std::array<std::int32_t, 3> positions{0, 1, 2};
  const std::array<std::int32_t, 3> ids{0, 0, 0};
  const axismask::named_view<float, axismask::axes<"seq", "kv_seq">> view(logits.data(), {3, 3});
  const axismask::named_view<const std::int32_t, axismask::axes<"seq">> tokens(positions.data(), {3});
  const axismask::named_view<const std::int32_t, axismask::axes<"seq">> segments(ids.data(), {3});
#ifdef INVERSE
  (!document).apply_in_place(view, input<"segment_ids">(segments));
#else
  (causal & document).apply_in_place(view, input<"token_positions">(tokens), input<"segment_ids">(segments));
  for (int key = 0; key < 3; ++key) std::printf("%d ", logits[static_cast<std::size_t>(key)] == 1 ? 1 : 0);
  for (const axismask::layer_library* library : axismask::linked_libraries()) {
    for (const axismask::linked_layer& layer : library->layers)
      std::printf("\n%.*s", static_cast<int>(layer.type->name.size()), layer.type->name.data());
  }
  std::printf("\n");
#endif
}
