// What calls on a device keep for the next ones: memory of the device, lists of tiles, and copies in the host's memory.
#pragma once

#include <array>
#include <cstddef>
#include <memory>
#include <vector>

#include "arrays/bound_call.hpp"
#include "device/device.hpp"
#include "device/tile_list.hpp"

namespace axismask {

// Of calls on one device, context and stream.
struct device_workspace {
  const halide_device_interface_t* interface;
  void* context;
  void* stream;
  std::array<device_memory, max_arrays> arrays;  // of arrays that are in the host's memory
  device_memory tile_memory;
  tile_list tiles;
  std::array<std::vector<std::byte>, max_arrays> dense;  // copies of the host's arrays that have gaps
  std::vector<std::vector<std::byte>> numbers;           // of side inputs that are in the device's memory
};

class device_workspaces {
 public:
  device_workspaces() = default;
  device_workspaces(const device_workspaces&) = delete;
  device_workspaces& operator=(const device_workspaces&) = delete;
  ~device_workspaces() { release(); }

  device_workspace& find(const device& on);
  void release() noexcept;

 private:
  std::vector<std::unique_ptr<device_workspace>> all_;
};

}  // namespace axismask
