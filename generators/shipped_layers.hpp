// The layers that axismask ships kernels for.
#pragma once

#include "axismask/declare.hpp"
#include "axismask/layers.hpp"

namespace axismask {

// The compositions that models use: schemas/examples/composed.json, and docs/masks.md with their sources.
using CausalInDocument = all_of<ApplyCausalAttentionMask<>, ApplyDocumentAttentionMask<>>;
using WindowInDocument = all_of<ApplyCausalSlidingWindowAttentionMask<>, ApplyDocumentAttentionMask<>>;
using WindowAndSinks =
    all_of<ApplyCausalAttentionMask<>, any_of<ApplyCausalSlidingWindowAttentionMask<>, ApplySinksAttentionMask<>>>;
using OutsideWindow = all_of<ApplyCausalAttentionMask<>, not_of<ApplyCausalSlidingWindowAttentionMask<>>>;
// Tokens of one span, an image's, see each other; ids are those of spans, negative outside of them.
using CausalOrSpan = any_of<ApplyCausalAttentionMask<>, ApplyDocumentAttentionMask<>>;
using WindowAndSpan = all_of<ApplyBidirectionalWindowAttentionMask<>, CausalOrSpan>;

}  // namespace axismask

AXISMASK_LAYERS(axismask::ApplyBidirectionalWindowAttentionMask<>, axismask::ApplyBlockCausalAttentionMask<>,
                axismask::ApplyCausalAttentionMask<>, axismask::ApplyCausalSlidingWindowAttentionMask<>,
                axismask::ApplyChunkedAttentionMask<>, axismask::ApplyDilatedWindowAttentionMask<>,
                axismask::ApplyDocumentAttentionMask<>, axismask::ApplyExplicitAttentionMask<>,
                axismask::ApplyLeftPaddingAttentionMask<>, axismask::ApplyPrefixLmAttentionMask<>,
                axismask::ApplyRightPaddingAttentionMask<>, axismask::ApplySinksAttentionMask<>,
                axismask::CausalInDocument, axismask::CausalOrSpan, axismask::OutsideWindow, axismask::WindowAndSinks,
                axismask::WindowAndSpan, axismask::WindowInDocument)
