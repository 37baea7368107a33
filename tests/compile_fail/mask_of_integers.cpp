// expect: ApplyCausalSlidingWindowAttentionMask(result): a mask is written as booleans or floats, and this array holds int32; give bool, float16, bfloat16, float32 or float64, or a bit_view
// expect clang: is_element_of_a_mask<axismask::ApplyCausalSlidingWindowAttentionMask<axismask::count, axismask::text<16>{"token_positions"}, axismask::text<16>{"token_positions"}, axismask::text<4>{"seq"}, axismask::text<7>{"kv_seq"}>, int>': axismask: a mask is written as bool or as floats; give an array of bool, float, float16 or bfloat16
// The mask by itself, to an array of integers.
#include <cstdint>

#include "axismask/causal_sliding_window.hpp"
#include "axismask/mask.hpp"

using namespace axismask;

#ifdef AXISMASK_EXPECT_FAIL
using mask_array = named_array<std::int32_t, axes<"seq", "kv_seq">>;
#else
using mask_array = named_array<bool, axes<"seq", "kv_seq">>;
#endif

void write(mask_array& mask, const named_array<std::int32_t, axes<"seq">>& positions) {
  const ApplyCausalSlidingWindowAttentionMask<> layer{.masked_out_value = -1e30, .sliding_window_size = 512};
  write_mask(layer, mask, input<"token_positions">(positions));
}
