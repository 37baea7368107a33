// What a model says of a layer's attention besides its mask: the key "attention" of a spec. Masking logits needs none
// of it; `attend` takes it (model_attention.hpp).
#pragma once

#include <optional>
#include <string>
#include <vector>

namespace axismask {

struct layer_attention {
  std::optional<double> scale = {};  // what scores are multiplied by; none: 1 / sqrt(size of the projection)
  double softcap = 0;                // a score s becomes softcap * tanh(s / softcap); 0: it stays
  // A score that each softmax has besides those of its keys, for each index of an axis of the queries; no axis, no
  // sinks.
  std::string sinks_axis = {};
  std::vector<float> sinks = {};

  friend bool operator==(const layer_attention&, const layer_attention&) = default;
};

}  // namespace axismask
