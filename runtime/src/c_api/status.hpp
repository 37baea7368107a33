// The status of a function of C, and the error of each thread.
#pragma once

#include <utility>

#include "axismask.h"

namespace axismask::c_api {

// Keeps the exception at hand as this thread's error, and gives the status for it.
[[nodiscard]] axismask_status status_of_exception() noexcept;

// Does what a function of C does: no exception leaves it.
template <class Act>
[[nodiscard]] axismask_status guarded(Act&& act) noexcept {
  try {
    std::forward<Act>(act)();
    return AXISMASK_OK;
  } catch (...) {
    return status_of_exception();
  }
}

}  // namespace axismask::c_api
