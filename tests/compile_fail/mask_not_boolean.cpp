// expect: ApplyGivenMask(mask): a mask is boolean, and this array holds int32; give bool
// expect clang: axismask::text<5>{"mask"}, int>': axismask: a mask requires booleans; give bool
// A mask of whole numbers.
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
using mask_element = std::int32_t;
#else
using mask_element = bool;
#endif

auto attend(const named_array<float, axes<"heads", "seq", "kv_seq">>& logits,
            const named_array<mask_element, axes<"seq", "kv_seq">>& given) {
  const ApplyGivenMask layer{.masked_out_value = -1e30};
  return layer(logits, input<"mask">(given));
}
