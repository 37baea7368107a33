// Carries out a job on a device: sends what the device does not have, lists the tiles, and calls kernels on the lists.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "axismask/call/call.hpp"
#include "axismask/kernel/kernel.hpp"
#include "cpu/passes.hpp"
#include "device/device.hpp"

namespace axismask {

// One call of a kernel: a part of the list of tiles, at the start of a box.
struct device_step {
  tile_work work;
  std::int64_t first;  // of the tiles
  std::int64_t count;
  std::array<std::int64_t, kernel_rank> at;    // where the box starts along its axes
  std::array<std::int64_t, kernel_rank> size;  // and what it spans
  std::int64_t outer_plane;
};

// What calls on one device, context and stream keep: memory of the device, and lists.
struct device_workspace {
  const halide_device_interface_t* interface;
  void* context;
  void* stream;
  std::array<device_memory, max_arrays> arrays;  // of arrays that are in the host's memory
  device_memory tile_memory;
  std::vector<std::int32_t> tiles;  // column, row, plane of each
  std::vector<device_step> steps;
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

// The side inputs with copies of those numbers that are in the device's memory: the runtime must see them to know which
// tiles there are.
[[nodiscard]] std::vector<side_input> with_numbers_on_host(device& on, std::span<const side_input> side_inputs,
                                                           device_workspace& space);

// `layout` and `plan` are those of the caller's plan, or null.
void run_on_device(mask_job& job, const layer_type& type, std::span<const kernel> kernels, device& on,
                   device_workspace& space, tile_planner& planner, tile_plan& own_plan, const tile_layout* layout,
                   const tile_plan* plan, bool wait);

}  // namespace axismask
