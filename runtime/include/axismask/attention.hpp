// Masked attention: softmax(mask(scale * queries . keys)) . values, without the scores ever being in memory. Tiles that
// the mask hides are skipped, and those that it leaves whole are computed without it; the layer's own kernel decides
// the others while they are in the cache. docs/attention.md says how, and how fast.
//
// Link axismask::attention, which has the kernels. It computes on processors, in float32, from arrays of float32,
// float16 or bfloat16.
#pragma once

#include <optional>
#include <string_view>

#include "axismask/array.hpp"
#include "axismask/call/call.hpp"
#include "axismask/empty_rows.hpp"
#include "axismask/layer.hpp"

namespace axismask {

struct attention_options {
  // Threads and pool, as for a call of the layer. A plan is checked; tiles are attention's own.
  call_options call = {};
  // The axis that queries and keys are multiplied along, and along which values and the result have their numbers.
  std::string_view projection = "projection";
  // What scores are multiplied by; none: 1 / sqrt(size of the projection axis of the queries).
  std::optional<double> scale = {};
  // Not 0: a score s becomes softcap * tanh(s / softcap), before the mask (Gemma 2).
  double softcap = 0;
  // A score that each softmax has besides those of its keys, and which has no value (gpt-oss): float32, over some of
  // the queries' axes, without the projection.
  std::optional<any_view> sinks = {};
  // Takes the logarithm of each softmax's denominator, sinks included: float32, the queries' axes without the
  // projection.
  std::optional<any_view> log_sum_exp = {};
};

// The arrays of a call.
struct attention_arrays {
  any_view queries;
  any_view keys;
  any_view values;
  any_view out;
};

// Attends:
//   attend(model.layer("layers.0").values(), {.queries = q, .keys = k, .values = v, .out = o},
//          {{"token_positions", positions}})
// Axes, in any order and of any strides:
//   queries  those that the mask has (its query axis, those of its side inputs), any others, and the projection
//   keys     the mask's key axis, the projection, and any of the queries' other axes but the query axis
//   values   the same, with a projection of any size
//   out      the queries' axes, with the values' projection; it overlaps no other array
// An axis that keys lack is shared: all its queries see the same keys (grouped queries). Dtypes may differ from array
// to array.
//
// Rows of which the mask keeps nothing: by the layer's rule `masked` the result is the literal softmax of the masked
// scores, for a finite masked value the mean of all values, for -infinity NaN; by `zeros` it is 0, and its log_sum_exp
// -infinity; `keep_self` and `error` are as ever. Keys that are masked change nothing, infinities and NaNs included,
// but where a softmax gives masked keys a weight: by `masked`, with a masked value not far below the scores.
//
// The result does not depend on the number of threads. After the first call of its size it allocates no array.
// Throws `error`, and then nothing is written: attention-axes, attention-dtype, attention-overlap, attention-option,
// device-attention for arrays or a call on a device, and those of a call of the layer.
void attend(const layer_values& layer, const attention_arrays& arrays, const side_inputs& inputs,
            const attention_options& options = {});

}  // namespace axismask
