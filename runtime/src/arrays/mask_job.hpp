// What is to be done in a call: its arrays, the kernel, and the masked value's bits.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "arrays/bound_call.hpp"
#include "axismask/kernel/kernel.hpp"

namespace axismask {

// Kernels count bytes in 32 bits; a box stays well within, and so do the strides inside it.
inline constexpr std::int64_t box_span = std::int64_t{1} << 30;

struct mask_job {
  bound_call bound;
  const axismask::kernel* kernel = nullptr;
  std::uint64_t masked = 0;
  bool in_place = false;

  // The masked value, as often as 8 bytes hold it.
  [[nodiscard]] std::uint64_t masked_pattern() const;
};

// Which of a variant's kernels is meant.
struct kernel_form {
  axismask::operation operation = axismask::operation::mask;
  int position_bytes = 8;
  bool packs_words = false;
};

// Takes the kernel of this form; one that masks, for the width of the job's elements. Throws error[kernel-missing] when
// the kernels, which are those of one variant or device, have none.
void take_kernel(mask_job& job, const layer_type& type, std::span<const kernel> kernels, kernel_form form);

}  // namespace axismask
