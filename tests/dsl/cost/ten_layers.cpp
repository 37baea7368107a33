// A user's file of ordinary size: declares ten layers and calls each. What it costs to compile is a test.
#include "axismask/layer.hpp"

using namespace axismask;

#define DECLARE(Name, formula)                                                        \
  struct Name {                                                                       \
    AXISMASK_LAYER(Name, (masked_value, masked_out_value), (count, window),         \
                   (query_positions, query_positions_input_name, "token_positions"), \
                   (kv_positions, kv_positions_input_name, "token_positions"),      \
                   (query_axis, seq_axis, "seq"), (kv_axis, kv_seq_axis, "kv_seq")) \
    template <class P, class W>                                                       \
    static constexpr auto keep(P q, P k, W w) {                                       \
      return formula;                                                                 \
    }                                                                                 \
  };

DECLARE(Layer0, q >= k && q - k < w)
DECLARE(Layer1, q >= k && q - k < w && k >= 0)
DECLARE(Layer2, q - k < w)
DECLARE(Layer3, q / w == k / w)
DECLARE(Layer4, (q - k) % w == 0)
DECLARE(Layer5, k < w)
DECLARE(Layer6, q >= k || k < w)
DECLARE(Layer7, !(q >= k) && k < w)
DECLARE(Layer8, q + w >= k)
DECLARE(Layer9, q >= k * w)

template <class Layer>
void call(named_view<float, axes<"heads", "seq", "kv_seq">> logits, named_view<int, axes<"seq">> positions) {
  Layer{.masked_out_value = -1e9, .window = 4}.apply_in_place(logits, input<"token_positions">(positions));
}

void call_all(named_view<float, axes<"heads", "seq", "kv_seq">> logits, named_view<int, axes<"seq">> positions) {
  call<Layer0>(logits, positions);
  call<Layer1>(logits, positions);
  call<Layer2>(logits, positions);
  call<Layer3>(logits, positions);
  call<Layer4>(logits, positions);
  call<Layer5>(logits, positions);
  call<Layer6>(logits, positions);
  call<Layer7>(logits, positions);
  call<Layer8>(logits, positions);
  call<Layer9>(logits, positions);
}
