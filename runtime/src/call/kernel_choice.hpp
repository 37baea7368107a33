// Which kernels compute a call: those of the processor, or those of a device.
#pragma once

#include <span>

#include "axismask/linked.hpp"
#include "call/call_request.hpp"

namespace axismask {

// Those of the processor, of one variant. Throws error[kernel-missing] when none is linked or runs here.
[[nodiscard]] std::span<const kernel> find_cpu_kernels(const layer_type& type);

// Those of one variant or device. Throws `error` when there are none, or when arrays are not in memory that they reach.
[[nodiscard]] std::span<const kernel> find_kernels(const call_request& request);

}  // namespace axismask
