// Every layer that axismask ships.
#pragma once

#include "axismask/attention_sinks.hpp"
#include "axismask/bidirectional_window.hpp"
#include "axismask/block_causal.hpp"
#include "axismask/causal.hpp"
#include "axismask/causal_sliding_window.hpp"
#include "axismask/chunked.hpp"
#include "axismask/dilated_window.hpp"
#include "axismask/documents.hpp"
#include "axismask/explicit_mask.hpp"
#include "axismask/padding.hpp"
#include "axismask/prefix_lm.hpp"
