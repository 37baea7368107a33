// The layers that axismask ships kernels for.
#pragma once

#include "axismask/declare.hpp"
#include "axismask/layers.hpp"

namespace axismask {

// The compositions that models use: schemas/examples/composed.json.
using WindowInDocument = all_of<ApplyCausalSlidingWindowAttentionMask<>, ApplyDocumentAttentionMask<>>;
using WindowAndSinks =
    all_of<ApplyCausalAttentionMask<>, any_of<ApplyCausalSlidingWindowAttentionMask<>, ApplySinksAttentionMask<>>>;
using OutsideWindow = all_of<ApplyCausalAttentionMask<>, not_of<ApplyCausalSlidingWindowAttentionMask<>>>;

}  // namespace axismask

AXISMASK_LAYERS(axismask::ApplyBidirectionalWindowAttentionMask<>, axismask::ApplyBlockCausalAttentionMask<>,
                axismask::ApplyCausalAttentionMask<>, axismask::ApplyCausalSlidingWindowAttentionMask<>,
                axismask::ApplyChunkedAttentionMask<>, axismask::ApplyDilatedWindowAttentionMask<>,
                axismask::ApplyDocumentAttentionMask<>, axismask::ApplyExplicitAttentionMask<>,
                axismask::ApplyLeftPaddingAttentionMask<>, axismask::ApplyPrefixLmAttentionMask<>,
                axismask::ApplyRightPaddingAttentionMask<>, axismask::ApplySinksAttentionMask<>,
                axismask::OutsideWindow, axismask::WindowAndSinks, axismask::WindowInDocument)
