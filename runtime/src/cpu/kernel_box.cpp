// Calls a kernel on boxes of a bound call.
#include "cpu/kernel_box.hpp"

#include <string>

#include "arrays/element_types.hpp"
#include "axismask/kernel/kernel.hpp"
#include "axismask/messages/error.hpp"

namespace axismask {

void check_failure(const kernel_failure& failure, const layer_type& type) {
  if (failure.code == 0) return;
  std::string message(failure.message.data());
  while (!message.empty() && message.back() == '\n') message.pop_back();
  throw error("kernel-failed", std::string(type.name),
              "its kernel gave code " + std::to_string(failure.code) + " (" + message + ")",
              "report this with the arrays' axes, sizes and strides: it is a mistake in axismask");
}

kernel_box::kernel_box(const mask_job& job, std::span<const std::size_t> axes) : job_(job), masked_(job.masked) {
  const bound_call& bound = job.bound;
  for (std::size_t array = 0; array < bound.array_count; ++array) {
    for (std::size_t at = 0; at < axes.size(); ++at) {
      // A stride that 32 bits do not hold belongs to an axis along which boxes have one element.
      strides_[array][at] = static_cast<std::int32_t>(bound.arrays[array].strides[axes[at]]);
    }
    buffers_[array] = {};
    buffers_[array].type = kernel_element_type(bound.arrays[array].type);
    buffers_[array].dimensions = kernel_rank;
    buffers_[array].dim = dimensions_[array].of_array.data();
  }
  std::size_t count = 0;
  arguments_[count++] = static_cast<void*>(&context_);
  const std::size_t out = bound.array_count - 1;
  const auto add = [&](argument one) {
    switch (one) {
      case argument::logits:
      case argument::kept:
        arguments_[count++] = &buffers_[0];
        break;
      case argument::operands:
        for (std::size_t array = 1; array < out; ++array) arguments_[count++] = &buffers_[array];
        break;
      case argument::masked_bits:
        arguments_[count++] = &masked_;
        break;
      case argument::out:
        arguments_[count++] = &buffers_[out];
        break;
      case argument::tiles:
      case argument::work:
        break;  // a device's
    }
  };
  if (job.kernel->operation == operation::mask) {
    for (const argument one : cpu_arguments) add(one);
  } else {
    for (const argument one : keep_arguments) add(one);
  }
}

void kernel_box::run(const array_offsets& offsets, const std::array<std::int32_t, kernel_rank>& sizes,
                     kernel_failure& failure) {
  const bound_call& bound = job_.bound;
  for (std::size_t array = 0; array < bound.array_count; ++array) {
    for (std::size_t axis = 0; axis < kernel_rank; ++axis) {
      // Along an axis of one element the stride means nothing.
      dimensions_[array].of_array[axis] =
          halide_dimension_t(0, sizes[axis], sizes[axis] > 1 ? strides_[array][axis] : 0);
    }
    // An innermost axis of one element counts as contiguous.
    if (sizes[0] == 1 && (array == 0 || array + 1 == bound.array_count)) dimensions_[array].of_array[0].stride = 1;
    // By whole numbers: an empty array may have no memory, and a pointer to none must not be moved.
    buffers_[array].host = reinterpret_cast<std::uint8_t*>(reinterpret_cast<std::uintptr_t>(bound.arrays[array].data) +
                                                           static_cast<std::uintptr_t>(offsets[array]));
  }
  const int code = call_.run([this] { return job_.kernel->run(arguments_.data()); });
  int none = 0;
  if (code != 0 && failure.code.compare_exchange_strong(none, code)) failure.message = call_.message;
}

}  // namespace axismask
