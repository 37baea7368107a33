// Carries out a job untiled: folds its axes, cuts it into boxes, and runs the kernel on each.
#include <algorithm>
#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <numeric>
#include <span>

#include "arrays/whole_parts.hpp"
#include "axismask/arrays/index_walk.hpp"
#include "cpu/passes.hpp"
#include "cpu/workers.hpp"

namespace axismask {
namespace {

constexpr std::int64_t box_bytes = std::int64_t{1} << 20;  // of logits: enough for one call, boxes enough to balance

// How the axes are cut: a box has this size along each.
struct boxes {
  std::array<std::int64_t, max_rank> size;
  std::array<std::int64_t, max_rank> count;
  std::int64_t total = 1;
};

boxes cut(const bound_call& call) {
  boxes result;
  std::int64_t elements = 1;
  std::array<std::int64_t, max_arrays> span{};
  for (std::size_t axis = 0; axis < call.rank; ++axis) {
    std::int64_t size = axis < kernel_rank ? call.sizes[axis] : 1;
    size = std::min(size, std::max<std::int64_t>(1, box_bytes / call.logits().element_bytes / elements));
    for (std::size_t index = 0; index < call.array_count; ++index) {
      const std::int64_t stride = std::abs(call.arrays[index].byte_stride(axis));
      if (stride > 0) size = std::min(size, 1 + (box_span - span[index]) / stride);
    }
    for (std::size_t index = 0; index < call.array_count; ++index) {
      span[index] += (size - 1) * std::abs(call.arrays[index].byte_stride(axis));
    }
    elements *= size;
    result.size[axis] = size;
    result.count[axis] = parts_of(call.sizes[axis], size);
    result.total *= result.count[axis];
  }
  return result;
}

class untiled_pass {
 public:
  untiled_pass(const mask_job& job, kernel_failure& failure) : job_(job), boxes_(cut(job.bound)), failure_(failure) {}

  [[nodiscard]] std::int64_t box_count() const { return boxes_.total; }

  // One thread's share: boxes, as long as there are any.
  void work() {
    std::array<std::size_t, kernel_rank> axes;
    std::iota(axes.begin(), axes.end(), std::size_t{0});
    kernel_box box(job_, std::span(axes).first(std::min(job_.bound.rank, kernel_rank)));
    for (std::int64_t number = next_++; number < boxes_.total; number = next_++) run(box, number);
  }

 private:
  void run(kernel_box& box, std::int64_t number) {
    const bound_call& bound = job_.bound;
    std::array<std::int64_t, max_arrays> offsets{};
    std::array<std::int32_t, kernel_rank> sizes;
    sizes.fill(1);
    // The job's axes are sorted from the innermost out, and the innermost counts fastest.
    const auto axis_at = [&](std::size_t at) { return bound.rank - 1 - at; };
    split_index(
        number, bound.rank, [&](std::size_t at) { return boxes_.count[axis_at(at)]; },
        [&](std::size_t at, std::int64_t index) {
          const std::size_t axis = axis_at(at);
          const std::int64_t begin = index * boxes_.size[axis];
          if (axis < kernel_rank) {
            sizes[axis] = static_cast<std::int32_t>(std::min(boxes_.size[axis], bound.sizes[axis] - begin));
          }
          for (std::size_t array = 0; array < bound.array_count; ++array) {
            offsets[array] += begin * bound.arrays[array].byte_stride(axis);
          }
        });
    box.run(offsets, sizes, failure_);
  }

  const mask_job& job_;
  const boxes boxes_;
  kernel_failure& failure_;
  std::atomic<std::int64_t> next_{0};
};

}  // namespace

void run_untiled(mask_job& job, const call_options& options, kernel_failure& failure) {
  const std::int64_t bytes = job.bound.element_count() * job.bound.logits().element_bytes;
  fold_axes(job.bound);
  untiled_pass pass(job, failure);
  const std::int64_t threads =
      bytes < parallel_bytes ? 1 : std::min<std::int64_t>(thread_count(options), pass.box_count());
  run_on_workers(
      options, static_cast<int>(threads), [](void* context, int) { static_cast<untiled_pass*>(context)->work(); },
      &pass);
}

}  // namespace axismask
