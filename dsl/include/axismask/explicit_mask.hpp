// The mask that is given, as penzai's `ApplyExplicitAttentionMask` defines it (penzai/nn/attention.py): whatever the
// caller worked out.
#pragma once

#include "axismask/layer.hpp"

namespace axismask {

// Replaces by `masked_out_value` each logit where the side input `mask_input_name`, an array of booleans, is false. The
// array may lack any axes of the logits, and is then the same along these; other axes it may not have.
//
// The attributes, their names and their order are penzai's. penzai's `mask_input_name` has no default; here it has one,
// "mask", because the name is part of the layer's type and the type that specs use must have some name.
template <text MaskInputName = "mask">
struct ApplyExplicitAttentionMask {
  AXISMASK_LAYER(ApplyExplicitAttentionMask,
                 (mask, mask_input_name, MaskInputName),
                 (masked_value, masked_out_value))

  template <class Boolean>
  static constexpr auto keep(Boolean given) {
    return given;
  }
};

}  // namespace axismask
