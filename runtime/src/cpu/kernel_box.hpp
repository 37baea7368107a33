// Calls a kernel on boxes of a bound call.
#pragma once

#include <HalideRuntime.h>

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <span>

#include "arrays/mask_job.hpp"
#include "kernels/halide_call.hpp"

namespace axismask {

// The first thing that went wrong in a kernel of a job, on whatever thread.
struct kernel_failure {
  std::atomic<int> code{0};
  decltype(halide_call::message) message;  // once there is a code
};

// Throws error[kernel-failed] when something did.
void check_failure(const kernel_failure& failure, const layer_type& type);

// A kernel made ready for boxes that extend along up to four axes of a job. Each thread has its own.
class kernel_box {
 public:
  // The axes, innermost first.
  kernel_box(const mask_job& job, std::span<const std::size_t> axes);
  kernel_box(const kernel_box&) = delete;
  kernel_box& operator=(const kernel_box&) = delete;

  // Runs the kernel on the box that starts at `offsets`, in bytes, one for each array, with these sizes along the axes.
  void run(const array_offsets& offsets, const std::array<std::int32_t, kernel_rank>& sizes, kernel_failure& failure);

 private:
  // Not set to anything before it is needed: for a small array that takes as long as the kernel.
  union dimensions {
    dimensions() {}
    std::array<halide_dimension_t, kernel_rank> of_array;
  };

  const mask_job& job_;
  std::array<std::array<std::int32_t, kernel_rank>, max_arrays> strides_;
  std::array<dimensions, max_arrays> dimensions_;
  std::array<halide_buffer_t, max_arrays> buffers_;
  std::uint64_t masked_;
  halide_call call_;
  void* context_ = &call_;
  std::array<void*, max_arrays + 2> arguments_;
};

}  // namespace axismask
