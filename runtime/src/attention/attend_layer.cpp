// Attention with a layer of a model, and what its spec says of attention.
#include "axismask/model_attention.hpp"

namespace axismask {

attention_options with_attention_of(const any_layer& layer, attention_options options) {
  const layer_attention& of_layer = layer.attention();
  if (!options.scale) options.scale = of_layer.scale;
  if (options.softcap == 0) options.softcap = of_layer.softcap;
  if (!options.sinks && !of_layer.sinks_axis.empty()) {
    options.sinks = any_view(of_layer.sinks.data(), dtype::float32, {{of_layer.sinks_axis, of_layer.sinks.size()}});
  }
  return options;
}

void attend(const any_layer& layer, const attention_arrays& arrays, const side_inputs& inputs,
            const attention_options& options) {
  attend(layer.values(), arrays, inputs, with_attention_of(layer, options));
}

}  // namespace axismask
