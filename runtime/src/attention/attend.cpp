// The door to attention: binds a call's arrays, plans its tiles, and has the work done.
#include <algorithm>
#include <memory>
#include <utility>

#include "arrays/bind_arrays.hpp"
#include "arrays/number_width.hpp"
#include "attention/attention_job.hpp"
#include "attention/attention_layout.hpp"
#include "attention/attention_pass.hpp"
#include "attention/kept_rows.hpp"
#include "axismask/linked.hpp"
#include "call/choose_tiling.hpp"
#include "call/kernel_choice.hpp"
#include "cpu/workers.hpp"
#include "plan/tile_planner.hpp"

namespace axismask {
namespace {

// What a call needs besides its arrays; kept for the next call of the thread.
struct attention_workspace {
  attention_job job;
  tile_planner planner;
  tile_plan plan;
  converted_numbers converted;
  kept_rows rows;
  pass_memory memory;
};
thread_local std::unique_ptr<attention_workspace> kept;

// While one call has it, another (a pool may run one on this thread meanwhile) makes its own.
class borrowed {
 public:
  borrowed() : mine_(std::move(kept)) {
    if (mine_ == nullptr) mine_ = std::make_unique<attention_workspace>();
  }
  borrowed(const borrowed&) = delete;
  borrowed& operator=(const borrowed&) = delete;
  ~borrowed() { kept = std::move(mine_); }
  attention_workspace& operator*() const { return *mine_; }

 private:
  std::unique_ptr<attention_workspace> mine_;
};

const attention_kernels& choose_kernels() {
  const std::string_view asked = asked_variant();
  for (const attention_kernels& one : linked_attention_kernels()) {
    if (!asked.empty() && one.variant != asked) continue;
    if (can_run(one.features, one.vector_bits)) return one;
  }
  throw error("kernel-missing", "attention", "none of its kernels runs on this machine",
              "build axismask with a target for it in AXISMASK_TARGETS");
}

void run(const attention_job& job, const tile_plan& plan, const attention_layout& layout, const call_options& options,
         pass_memory& memory, kernel_failure& failure) {
  attention_pass pass(job, layout, plan, thread_count(options), memory);
  struct shared {
    attention_pass& pass;
    kernel_failure& failure;
  } both{pass, failure};
  run_on_workers(
      options, pass.threads(),
      [](void* context, int index) {
        auto* all = static_cast<shared*>(context);
        all->pass.work(index, all->failure);
      },
      &both);
}

}  // namespace

void attend(const layer_values& layer, const attention_arrays& arrays, const side_inputs& inputs,
            const attention_options& options) {
  const std::span<const kernel> kernels = find_cpu_kernels(*layer.type);
  const borrowed space;
  attention_workspace& mine = *space;
  attention_job& job = mine.job;
  job.kernels = &choose_kernels();
  bind_attention(layer, arrays, inputs, options, job);
  if (options.call.plan != nullptr) {
    const any_view scores(nullptr, dtype::float32, job.axes);
    check_plan(*options.call.plan, {layer, scores, scores, inputs, options.call});
  }
  if (arrays.out.element_count() == 0) return;
  const bool has_rule = looks_for_rows(layer.empty_rows);
  if (has_rule) mine.rows.find(layer, job, mine.planner);
  const attention_layout layout = find_layout(job);
  mine.planner.find(*layer.type, job.mask.bound, layout.tiled, {layout.block_rows, layout.tile_keys}, mine.plan);
  const int width = mine.plan.largest <= narrow_magnitude ? 4 : 8;
  job.mask.bound.add(nullptr, dtype::float32);  // the scores, masked in place
  set_width(job.mask.bound, width, mine.converted);
  take_kernel(job.mask, *layer.type, kernels, {operation::mask, width});
  kernel_failure failure;
  run(job, mine.plan, layout, options.call, mine.memory, failure);
  check_failure(failure, *layer.type);
  if (has_rule) mine.rows.attend(job);
}

}  // namespace axismask
