// Attention over threads: which units there are, who does them, and who brings stretches of keys together.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <vector>

#include "attention/attention_job.hpp"
#include "attention/attention_layout.hpp"
#include "attention/attention_worker.hpp"
#include "axismask/plan.hpp"
#include "cpu/kernel_box.hpp"

namespace axismask {

// Memory of floats that starts at a cache line. It is kept from call to call.
class float_memory {
 public:
  // Makes room. What was there is lost.
  float* reserve(std::int64_t floats);

 private:
  struct freed {
    void operator()(float* memory) const;
  };
  std::unique_ptr<float, freed> memory_;
  std::int64_t size_ = 0;
};

// What passes need besides their arrays. It is kept from call to call.
struct pass_memory {
  float_memory floats;
  std::vector<std::int64_t> undone;
};

class attention_pass {
 public:
  attention_pass(const attention_job& job, const attention_layout& layout, const tile_plan& plan, int threads,
                 pass_memory& memory);

  // How many threads have something to do.
  [[nodiscard]] int threads() const { return threads_; }
  // What a thread does, while the others do the same. `index` is below `threads`.
  void work(int index, kernel_failure& failure);

 private:
  void attend(attention_worker& worker, std::int64_t task);

  const attention_job& job_;
  const attention_layout& layout_;
  const tile_plan& plan_;
  attention_scratch scratch_;
  int threads_;
  float* of_threads_;
  float* partials_;
  std::int64_t partial_floats_ = 0;    // of a unit's stretch
  std::vector<std::int64_t>& undone_;  // stretches of each unit that are not done
  std::atomic<std::int64_t> next_{0};
};

}  // namespace axismask
