// A call that is computed by a device.
#pragma once

#include <span>

#include "axismask/linked.hpp"
#include "call/call_request.hpp"
#include "call/workspace.hpp"

namespace axismask {

// `kernels` are those of the device. Throws `error`.
void apply_on_device(const call_request& request, std::span<const kernel> kernels, workspace& space);

}  // namespace axismask
