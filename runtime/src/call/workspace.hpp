// What a call needs besides its arrays. It is kept from call to call, so that a call allocates nothing once there has
// been one of its size.
#pragma once

#include <memory>

#include "arrays/mask_job.hpp"
#include "arrays/number_width.hpp"
#include "call/empty_row_finder.hpp"
#include "device/workspace.hpp"
#include "plan/tile_planner.hpp"

namespace axismask {

struct workspace {
  mask_job job;
  converted_numbers converted;
  tile_planner planner;
  tile_plan plan;
  empty_row_finder empty_rows;
  device_workspaces devices;
};

// The workspace of this thread. While one call has it, another (a pool may run one on this thread meanwhile) makes its
// own.
class borrowed_workspace {
 public:
  borrowed_workspace();
  borrowed_workspace(const borrowed_workspace&) = delete;
  borrowed_workspace& operator=(const borrowed_workspace&) = delete;
  ~borrowed_workspace();

  workspace& operator*() const { return *mine_; }

  // What is kept for the next call of this thread, if there is something.
  static workspace* of_this_thread();

 private:
  std::unique_ptr<workspace> mine_;
};

}  // namespace axismask
