// The room of linked kernels: which there are in this program, which of them this machine can run, and how Halide's
// functions are called. It knows the dsl and Halide's small run-time headers; it never knows an array of a caller, and
// no other room of the runtime.
//
// Here: calls into Halide. What goes wrong in one stays with it, and a caller's CUDA context and stream are found by
// it.
#pragma once

#include <array>
#include <string>

namespace axismask {

// To be given to Halide's functions as their user context. A thread is in one call at a time.
class halide_call {
 public:
  halide_call();
  halide_call(const halide_call&) = delete;
  halide_call& operator=(const halide_call&) = delete;

  // For devices of CUDA; null: Halide's own.
  void* cuda_context = nullptr;
  void* cuda_stream = nullptr;

  // What Halide said when the last function failed.
  std::array<char, 512> message;  // not set to anything before: for a small array that takes as long as the kernel

  // The same as a part of a message of ours.
  [[nodiscard]] std::string message_on_one_line() const;

  // Runs a function of Halide's on this thread; it gives 0, or an error code.
  template <class Function>
  int run(Function function) {
    begin();
    const int code = function();
    end();
    return code;
  }

 private:
  void begin();
  static void end();
};

}  // namespace axismask
