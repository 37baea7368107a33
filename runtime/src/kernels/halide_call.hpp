// Calls into Halide: what goes wrong in one stays with it, and a caller's CUDA context and stream are found by it.
#pragma once

#include <array>

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
