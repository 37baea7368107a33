// What calls on a device keep for the next ones.
#include "device/workspace.hpp"

namespace axismask {

device_workspace& device_workspaces::find(const device& on) {
  for (const auto& kept : all_) {
    if (kept->interface == on.interface && kept->context == on.call.cuda_context &&
        kept->stream == on.call.cuda_stream) {
      return *kept;
    }
  }
  all_.push_back(std::make_unique<device_workspace>());
  device_workspace& added = *all_.back();
  added.interface = on.interface;
  added.context = on.call.cuda_context;
  added.stream = on.call.cuda_stream;
  return added;
}

void device_workspaces::release() noexcept {
  for (const auto& kept : all_) {
    device on(kept->interface, {}, false);
    on.call.cuda_context = kept->context;
    on.call.cuda_stream = kept->stream;
    for (device_memory& memory : kept->arrays) memory.release(on);
    kept->tile_memory.release(on);
    // Halide keeps what is freed for later; turned off, it gives that back to the driver.
    on.call.run([&] { return halide_reuse_device_allocations(&on.call, false); });
    on.call.run([&] { return halide_reuse_device_allocations(&on.call, true); });
  }
  all_.clear();
}

}  // namespace axismask
