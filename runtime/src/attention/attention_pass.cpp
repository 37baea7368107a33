// Attention over threads.
#include "attention/attention_pass.hpp"

#include <algorithm>
#include <new>

namespace axismask {
namespace {

constexpr std::size_t cache_line = 64;

}  // namespace

void float_memory::freed::operator()(float* memory) const { ::operator delete(memory, std::align_val_t{cache_line}); }

float* float_memory::reserve(std::int64_t floats) {
  if (floats > size_) {
    memory_.reset();
    size_ = 0;
    const auto bytes = static_cast<std::size_t>(floats) * sizeof(float);
    memory_.reset(static_cast<float*>(::operator new(bytes, std::align_val_t{cache_line})));
    size_ = floats;
  }
  return memory_.get();
}

attention_pass::attention_pass(const attention_job& job, const attention_layout& layout, const tile_plan& plan,
                               int threads, pass_memory& memory)
    : job_(job), layout_(layout), plan_(plan), scratch_(job, layout), undone_(memory.undone) {
  const std::int64_t tasks = layout.unit_count() * layout.stretches;
  threads_ = static_cast<int>(std::clamp<std::int64_t>(tasks, 1, threads));
  const std::int64_t partial_count = layout.stretches == 1 ? 0 : tasks;
  partial_floats_ = layout.blocks_per_unit * scratch_.result_floats;
  of_threads_ = memory.floats.reserve(threads_ * scratch_.all + partial_count * partial_floats_);
  partials_ = of_threads_ + threads_ * scratch_.all;
  if (partial_count == 0) return;
  undone_.assign(static_cast<std::size_t>(layout.unit_count()), layout.stretches);
}

void attention_pass::work(int index, kernel_failure& failure) {
  attention_worker worker(job_, layout_, plan_, of_threads_ + index * scratch_.all, failure);
  const std::int64_t tasks = layout_.unit_count() * layout_.stretches;
  for (;;) {
    const std::int64_t task = next_.fetch_add(1, std::memory_order_relaxed);
    if (task >= tasks) return;
    attend(worker, task);
  }
}

void attention_pass::attend(attention_worker& worker, std::int64_t task) {
  const std::int64_t unit = task / layout_.stretches;
  worker.attend(unit, task % layout_.stretches);
  if (layout_.stretches == 1) {
    worker.finish();
    return;
  }
  worker.save(partials_ + task * partial_floats_);
  // Whoever does the last stretch of a unit brings them all together.
  std::atomic_ref<std::int64_t> undone(undone_[static_cast<std::size_t>(unit)]);
  if (undone.fetch_sub(1, std::memory_order_acq_rel) > 1) return;
  worker.merge(unit, partials_ + unit * layout_.stretches * partial_floats_, partial_floats_);
  worker.finish();
}

}  // namespace axismask
