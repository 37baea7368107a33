// The runtime's own threads. Halide has a pool too, but that makes a thread for each processor whatever a call asks
// for.
#include "cpu/workers.hpp"

#include <pthread.h>

#include <algorithm>
#include <atomic>
#include <deque>
#include <mutex>
#include <string>
#include <thread>

#include "axismask/messages/error.hpp"

namespace axismask {
namespace {

using task_function = void (*)(void* context, int index);

// Threads that wait for jobs. They are made when a job first asks for them, and wake when one needs them.
class worker_pool {
 public:
  worker_pool() = default;
  worker_pool(const worker_pool&) = delete;
  worker_pool& operator=(const worker_pool&) = delete;
  ~worker_pool() {
    stopping_ = true;
    for (helper& sleeper : helpers_) {
      wake(sleeper);
      sleeper.thread.join();
    }
  }

  // Runs task 0 on the caller's thread; and the others too when another caller has the helpers.
  void run(int count, task_function task, void* context) {
    const std::unique_lock only(busy_, std::try_to_lock);
    const int helpers = only ? prepare(count - 1) : 0;
    if (helpers > 0) {
      task_ = task;
      context_ = context;
      working_.store(helpers, std::memory_order_relaxed);
      for (int index = 0; index < helpers; ++index) wake(helpers_[static_cast<std::size_t>(index)]);
    }
    task(context, 0);
    for (int index = helpers + 1; index < count; ++index) task(context, index);
    if (helpers == 0) return;
    for (int left = working_.load(std::memory_order_acquire); left > 0;) {
      working_.wait(left, std::memory_order_acquire);
      left = working_.load(std::memory_order_acquire);
    }
  }

 private:
  struct helper {
    std::atomic<unsigned> jobs{0};  // how many it has been given; it sleeps on this
    std::thread thread;
  };

  static void wake(helper& sleeper) {
    sleeper.jobs.fetch_add(1, std::memory_order_release);
    sleeper.jobs.notify_one();
  }

  // Makes helpers until there are `wanted`, or as many as the system gives.
  int prepare(int wanted) {
    while (static_cast<int>(helpers_.size()) < wanted) {
      const std::size_t before = helpers_.size();
      try {
        helper& added = helpers_.emplace_back();
        added.thread = std::thread([this, &added, index = static_cast<int>(helpers_.size())] { help(added, index); });
      } catch (...) {  // no thread, or no memory for one
        if (helpers_.size() > before) helpers_.pop_back();
        break;
      }
    }
    return std::min(wanted, static_cast<int>(helpers_.size()));
  }

  void help(helper& self, int index) {
    for (unsigned done = 0;; ++done) {
      self.jobs.wait(done, std::memory_order_acquire);
      if (stopping_) return;
      task_(context_, index);
      if (working_.fetch_sub(1, std::memory_order_acq_rel) == 1) working_.notify_one();
    }
  }

  std::mutex busy_;
  std::deque<helper> helpers_;
  std::atomic<int> working_{0};
  std::atomic<bool> stopping_{false};
  task_function task_ = nullptr;
  void* context_ = nullptr;
};

// The pool of this process. After a fork the child has none of its threads: it starts with a pool of its own.
struct pool_owner {
  pool_owner() { pthread_atfork(nullptr, nullptr, forget_in_child); }
  ~pool_owner() {
    delete pool;
    pool = nullptr;
  }
  pool_owner(const pool_owner&) = delete;
  pool_owner& operator=(const pool_owner&) = delete;

  static void forget_in_child();

  worker_pool* pool = new worker_pool;
};

pool_owner& owner() {
  static pool_owner of_process;
  return of_process;
}

void pool_owner::forget_in_child() { owner().pool = new worker_pool; }

// A pool that leaves a task out would leave a part of the result as it was, and nobody would see it; it may even run
// another twice instead. So tasks are numbered here, as they come: whatever index the pool gives, none runs twice.
struct counted_tasks {
  task_function task;
  void* context;
  int count;
  std::atomic<int> begun{0};
  std::atomic<int> ran{0};

  static void run(void* counted, int /*index*/) {
    auto& self = *static_cast<counted_tasks*>(counted);
    const int index = self.begun.fetch_add(1, std::memory_order_relaxed);
    if (index < self.count) self.task(self.context, index);
    self.ran.fetch_add(1, std::memory_order_release);
  }
};

void run_on_callers_pool(const call_options& options, int count, task_function task, void* context) {
  counted_tasks counted{task, context, count};
  options.run_tasks(options.pool, count, counted_tasks::run, &counted);
  const int ran = counted.ran.load(std::memory_order_acquire);
  if (ran == count) return;
  throw error("call-pool", "call_options::run_tasks",
              "it returned when " + std::to_string(ran) + " of " + std::to_string(count) +
                  " tasks had run, so that the result is not whole",
              "run each task once, and return when all are done");
}

}  // namespace

int thread_count(const call_options& options) {
  if (options.threads > 0) return options.threads;
  static const int processors = std::max(1, static_cast<int>(std::thread::hardware_concurrency()));
  return processors;
}

void run_on_workers(const call_options& options, int count, task_function task, void* context) {
  if (count == 1) {
    task(context, 0);
  } else if (options.run_tasks != nullptr) {
    run_on_callers_pool(options, count, task, context);
  } else if (worker_pool* pool = owner().pool; pool != nullptr) {
    pool->run(count, task, context);
  } else {  // the program is ending: objects that live longer than the pool may still call
    for (int index = 0; index < count; ++index) task(context, index);
  }
}

}  // namespace axismask
