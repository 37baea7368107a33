// expect: ApplyGivenMask(mask): its axis \"head\" is none of the logits\'; they have \"heads\", \"seq\", \"kv_seq\" (did you mean \"heads\"?); rename the axis, or take it out of the array
// expect clang: axismask::text<5>{"mask"}, axismask::text<5>{"head"}, axismask::axes<axismask::text<6>{"heads"}, axismask::text<4>{"seq"}, axismask::text<7>{"kv_seq"}>>': axismask: each axis of a side input or parameter requires the logits to have it; rename the axis, or take it out of the array
// A mask over an axis that the logits do not have.
#include <cstdint>

#include "axismask/layer.hpp"

using namespace axismask;

// A mask that the caller has made.
struct ApplyGivenMask {
  AXISMASK_LAYER(ApplyGivenMask, (masked_value, masked_out_value), (mask, mask_input_name, "mask"))

  template <class Boolean>
  static constexpr auto keep(Boolean given) {
    return given;
  }
};

#ifdef AXISMASK_EXPECT_FAIL
using mask_axes = axes<"head", "kv_seq">;
#else
using mask_axes = axes<"heads", "kv_seq">;
#endif

auto attend(const named_array<float, axes<"heads", "seq", "kv_seq">>& logits,
            const named_array<bool, mask_axes>& given) {
  const ApplyGivenMask layer{.masked_out_value = -1e30};
  return layer(logits, input<"mask">(given));
}
