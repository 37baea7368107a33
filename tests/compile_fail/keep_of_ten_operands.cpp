// expect: ApplyTenNumbersMask::keep requires 10 parameters, one for each of query_positions_input_name, n1, n2, n3, n4, n5, n6, n7, n8, n9; declare it as a static constexpr function template that takes these in this order
// expect clang: ApplyTenNumbersMask, axismask::integer, bool, std::integer_sequence<unsigned long, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9>>': axismask: keep requires one parameter for each side input and then each parameter of the layer; declare it as a static constexpr function template that takes these in the order of the attributes
// `keep` with one parameter of ten, whose number has two digits.
#include <cstdint>

#include "axismask/layer.hpp"

using namespace axismask;

struct ApplyTenNumbersMask {
  AXISMASK_LAYER(ApplyTenNumbersMask,
                 (masked_value, masked_out_value),
                 (count, n1),
                 (count, n2),
                 (count, n3),
                 (count, n4),
                 (count, n5),
                 (count, n6),
                 (count, n7),
                 (count, n8),
                 (count, n9),
                 (query_positions, query_positions_input_name, "token_positions"),
                 (query_axis, seq_axis, "seq"),
                 (kv_axis, kv_seq_axis, "kv_seq"))

#ifdef AXISMASK_EXPECT_FAIL
  template <class Position>
  static constexpr auto keep(Position query) {
    return query >= 0;
  }
#else
  template <class Position, class... Numbers>
  static constexpr auto keep(Position query, Numbers... numbers) {
    return ((query >= numbers) && ...);
  }
#endif
};

auto attend(const ApplyTenNumbersMask& layer, const named_array<float, axes<"seq", "kv_seq">>& logits,
            const named_array<std::int32_t, axes<"seq">>& positions) {
  return layer(logits, input<"token_positions">(positions));
}
