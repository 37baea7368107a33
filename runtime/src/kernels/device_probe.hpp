// What is asked of a device before a call uses it; whether it can be used at all is device_problem's (linked.hpp).
#pragma once

#include "axismask/kernel/kernel.hpp"

namespace axismask {

// Is it a kernel for CUDA, which has contexts, streams and pointers?
[[nodiscard]] bool is_cuda(const kernel& kernel);

// The CUDA context that is current on this thread, or null. Only when there is a driver.
[[nodiscard]] void* current_cuda_context();

}  // namespace axismask
