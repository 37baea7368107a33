// The threads of a call: the caller's own pool, or one that the runtime keeps.
#pragma once

#include "axismask/call/call.hpp"

namespace axismask {

// At most this many threads may work at once.
[[nodiscard]] int thread_count(const call_options& options);

// Runs task(context, i) once for each i from 0 to count - 1, each on a thread of its own where threads are free, and
// returns when all are done. `count` is at most thread_count(options). `task` must not throw. Throws `error` call-pool
// when a caller's pool has not run each, and what that pool throws.
void run_on_workers(const call_options& options, int count, void (*task)(void* context, int index), void* context);

}  // namespace axismask
