// Rows of which a mask keeps nothing, and which by the layer's rule keep the keys at their own position: few keys each,
// attended to one by one.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "attention/attention_job.hpp"
#include "axismask/plan.hpp"
#include "call/empty_row_finder.hpp"
#include "plan/tile_planner.hpp"

namespace axismask {

// A key that a row keeps: the row is counted along the mask's axes but the key axis, in C order.
struct kept_key {
  std::int64_t row;
  std::int64_t key;
};

class kept_rows {
 public:
  // To be called before anything is written, for a layer whose rule looks for rows. Throws `error` when the layer
  // refuses empty rows and there is one.
  void find(const layer_values& layer, const attention_job& job, tile_planner& planner);
  // To be called when the result is written: writes these rows again.
  void attend(const attention_job& job) const;

 private:
  empty_row_finder finder_;
  std::vector<kept_key> keys_;  // by row, then key
};

}  // namespace axismask
