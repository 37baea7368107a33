// The layers that axismask ships kernels for.
#pragma once

#include "axismask/declare.hpp"
#include "axismask/layers.hpp"

AXISMASK_LAYERS(axismask::ApplyCausalAttentionMask<>, axismask::ApplyCausalSlidingWindowAttentionMask<>)
