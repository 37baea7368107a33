// Attention's kernels as functions (axismask/kernel/attention_kernels.hpp says what they compute).
#pragma once

#include <HalideRuntime.h>

#include <array>
#include <cstddef>
#include <cstdint>

#include "axismask/arrays/dtype.hpp"
#include "axismask/kernel/attention_kernels.hpp"
#include "cpu/kernel_box.hpp"
#include "kernels/halide_call.hpp"

namespace axismask {

// An array of numbers along two axes: `inner` of the first, dense where a kernel asks for it, and `outer` of the
// second. Strides count elements.
struct number_matrix {
  const void* data = nullptr;
  dtype type = dtype::float32;
  std::int64_t inner = 0;
  std::int64_t outer = 0;
  std::int64_t outer_stride = 0;
  std::int64_t inner_stride = 1;
};

// What is known so far of a block of queries: state is [lanes, 2], sums are [lanes, d] or, of rows, [d, lanes].
struct softmax_state {
  float* before;
  float* after;  // where the next state goes
  float* sums;

  void swap() { std::swap(before, after); }
};

// Values packed by columns: [C, keys, columns / C].
struct packed_values {
  const float* data = nullptr;
  std::int64_t keys = 0;
  std::int64_t columns = 0;        // made up to a multiple of C
  std::int64_t column_stride = 0;  // from one C to the next
};

// Each thread has its own.
class kernel_calls {
 public:
  kernel_calls(const attention_kernels& kernels, kernel_failure& failure) : kernels_(kernels), failure_(failure) {}

  [[nodiscard]] const attention_kernels& kernels() const { return kernels_; }

  // To float32, dense along the inner axis; `out_stride` is that of the outer one.
  void widen(const number_matrix& in, float* out, std::int64_t out_stride);
  void soften(float* scores, std::int64_t count, float cap);
  void block_scores(const float* queries, const number_matrix& keys, float* scores);
  void block_sums(const float* scores, const packed_values& values, softmax_state& state, float* weights);
  // `stride`: of scores and weights, from one query to the next.
  // `values` are those of the keys: they are fetched into the cache meanwhile.
  void row_scores(const float* queries, const number_matrix& keys, const number_matrix& values, float* scores,
                  std::int64_t stride);
  // `next` are the keys that are to be read next: they, too, are fetched meanwhile.
  void row_sums(const float* scores, const number_matrix& values, const number_matrix& next, softmax_state& state,
                float* weights, std::int64_t stride);

 private:
  struct array {
    halide_buffer_t buffer;
    std::array<halide_dimension_t, 3> dimensions;
  };
  struct axis {
    std::int64_t size;
    std::int64_t stride;
  };
  void set(std::size_t at, const void* data, halide_type_t type, std::initializer_list<axis> axes);
  void set(std::size_t at, const void* data, std::initializer_list<axis> axes) {
    set(at, data, halide_type_of<float>(), axes);
  }
  [[nodiscard]] halide_type_t stored_type(dtype type) const;
  void run(halide_entry entry);

  const attention_kernels& kernels_;
  kernel_failure& failure_;
  halide_call call_;
  void* context_ = &call_;
  std::array<array, 11> arrays_;
  std::array<void*, 12> arguments_;
};

}  // namespace axismask
