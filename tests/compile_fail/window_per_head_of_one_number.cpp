// expect: axismask: counts_over requires one number for each index of its axes, as an array of std::int64_t with its sizes; give {pointer, {4}}, and for one number leave counts_over out of the type
// expect clang: axismask: counts_over requires one number for each index of its axes, as an array of std::int64_t with its sizes; give {pointer, {4}}, and for one number leave counts_over out of the type
// One number where the type of the layer asks for one for each head.
#include <cstdint>

#include "axismask/causal_sliding_window.hpp"

using namespace axismask;

using local = ApplyCausalSlidingWindowAttentionMask<counts_over<axes<"heads">>>;

local make([[maybe_unused]] std::int64_t* windows) {
#ifdef AXISMASK_EXPECT_FAIL
  return {.masked_out_value = -1e30, .sliding_window_size = 512};
#else
  return {.masked_out_value = -1e30, .sliding_window_size = {windows, {4}}};
#endif
}
