// What a mask keeps of a part of it, as bytes: 1 where a logit is kept, 0 where it is masked. The layer's kernel tells.
#pragma once

#include <cstddef>
#include <cstdint>

#include "arrays/mask_job.hpp"
#include "cpu/kernel_box.hpp"
#include "plan/tiled_axes.hpp"

namespace axismask {

// Rows and columns of a mask.
struct mask_box {
  std::int64_t rows = 1;
  std::int64_t columns = 1;
};

// The largest box whose operands a kernel can count in 32 bits, of at most this one.
[[nodiscard]] mask_box fitting_box(const bound_call& call, const tiled_axes& axes, mask_box wanted);

// Bytes in memory of ours, a row of them `columns` behind the one before, for a reader to write to.
[[nodiscard]] bound_array bytes_in_rows(const tiled_axes& axes, std::uint8_t* memory, std::int64_t columns);

// Reads boxes of rows and columns. Each thread has its own.
class keep_reader {
 public:
  // `job` has the kernel that tells what is kept. The bytes go to `kept`, with its strides along the axes' row and
  // column; within a box they must stay within 32 bits, too.
  keep_reader(const mask_job& job, const tiled_axes& axes, const bound_array& kept);

  // The box that starts at these offsets, of which the first is that in `kept`.
  void read(const array_offsets& start, const mask_box& box, kernel_failure& failure);

 private:
  mask_job job_;
  bool has_rows_;
  kernel_box box_;
};

}  // namespace axismask
