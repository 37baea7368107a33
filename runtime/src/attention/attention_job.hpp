// What is to be done in a call of attention: its arrays on common axes, the mask's call, and the kernels.
//
// The room holds attention on processors. It computes scores and sums by kernels of its own, and has the layer's
// kernels mask the scores; it may include call/ and below. Nothing but the programs' own rooms stands above.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "arrays/bound_call.hpp"
#include "arrays/mask_job.hpp"
#include "axismask/attention.hpp"
#include "axismask/kernel/attention_kernels.hpp"

namespace axismask {

// An array on the axes of the mask: queries' axes but the projection, then the key axis. Strides count bytes.
struct attention_array {
  std::byte* data = nullptr;
  dtype type = dtype::float32;
  std::array<std::int64_t, max_rank> strides{};  // 0 along an axis that the array lacks
  std::int64_t projection_stride = 0;
  std::int64_t element_bytes = 4;

  [[nodiscard]] bool is_there() const { return data != nullptr; }
};

struct attention_job {
  std::vector<named_axis> axes;  // of the mask
  attention_array queries;
  attention_array keys;
  attention_array values;
  attention_array out;
  attention_array sinks;
  attention_array log_sum_exp;
  std::int64_t projection = 0;        // of queries and keys
  std::int64_t value_projection = 0;  // of values and the result

  float scale = 1;          // with the log2(e) of a softmax by powers of 2
  float softcap = 0;        // in the same units; 0: none
  float masked = 0;         // what masked scores are, in the same units
  double masked_value = 0;  // the same in the caller's units: as large a number as there is stays what it is
  bool zeros = false;       // masked keys have no weight, and rows without keys are 0

  mask_job mask;  // its logits and result are scores, which have no memory yet
  const attention_kernels* kernels = nullptr;

  [[nodiscard]] std::size_t key_axis() const { return axes.size() - 1; }
  [[nodiscard]] std::int64_t keys_count() const { return axes.back().size; }
};

// Checks the arrays by the names of their axes, and binds them; `mask` but for its kernel. Throws `error`.
void bind_attention(const layer_values& layer, const attention_arrays& arrays, const side_inputs& inputs,
                    const attention_options& options, attention_job& job);

}  // namespace axismask
