// Attention with a layer of a model, and what its spec says of attention: attention.hpp, with names that are known at
// run time only. Link axismask::attention.
//   attend(model.layer("layers.0"), {.queries = q, .keys = k, .values = v, .out = o}, {{"token_positions",
//   positions}});
#pragma once

#include "axismask/attention.hpp"
#include "axismask/model.hpp"

namespace axismask {

// Returns the options with what the layer's spec says of attention, where they say nothing themselves: its scale, its
// softcap where theirs is 0, its sinks. The sinks lie in the layer's memory.
[[nodiscard]] attention_options with_attention_of(const any_layer& layer, attention_options options = {});

// Attends with the layer's mask, its rule for empty rows, and the options that `with_attention_of` gives. Throws
// `error` as the function of attention.hpp does; sinks of a spec that do not fit the queries are "axis-size" or
// "attention-axes", with the WHERE "sinks".
void attend(const any_layer& layer, const attention_arrays& arrays, const side_inputs& inputs,
            const attention_options& options = {});

}  // namespace axismask
