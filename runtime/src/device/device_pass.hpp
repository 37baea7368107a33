// Carries out a job on a device: sends what the device does not have, lists the tiles, and calls kernels on the lists.
#pragma once

#include <span>

#include "arrays/number_width.hpp"
#include "axismask/linked.hpp"
#include "device/device.hpp"
#include "device/workspace.hpp"
#include "plan/tile_layout.hpp"
#include "plan/tile_planner.hpp"

namespace axismask {

// A device, the kernels for it, and what calls on it keep.
struct device_target {
  device& on;
  std::span<const kernel> kernels;
  device_workspace& space;
};

// What a call keeps of the host's: who makes a plan, where, and the copies of numbers in another width.
struct host_space {
  tile_planner& planner;
  tile_plan& own_plan;
  converted_numbers& converted;
};

// `given` is the caller's plan, if there is one. When it does not serve, one is made if tiles serve at all. Returns
// when the result is there, or with a stream of CUDA and an array of the device's when the work stands in the stream.
void run_on_device(mask_job& job, const layer_type& type, const device_target& target, const tiling_choice& given,
                   const host_space& host);

}  // namespace axismask
