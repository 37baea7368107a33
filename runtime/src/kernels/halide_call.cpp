// Calls into Halide: what goes wrong in one stays with it, and a caller's CUDA context and stream are found by it.
#include "kernels/halide_call.hpp"

#include <HalideRuntime.h>
#include <HalideRuntimeCuda.h>

#include <algorithm>
#include <cstdio>
#include <mutex>

// Weak: they are there when kernels for CUDA are linked.
extern "C" {
#pragma weak halide_set_cuda_acquire_context
#pragma weak halide_set_cuda_get_stream
}

namespace axismask {
namespace {

thread_local halide_call* current = nullptr;
halide_error_handler_t previous_handler = nullptr;
halide_cuda_acquire_context_t previous_acquire = nullptr;
halide_cuda_get_stream_t previous_get_stream = nullptr;

bool is_ours(const void* user_context) { return user_context != nullptr && user_context == current; }

// Halide's own handler ends the program. This one leaves the text with the call, and whatever does not come from a call
// of ours goes to the handler that was there before.
void on_error(void* user_context, const char* message) {
  if (is_ours(user_context)) {
    std::snprintf(current->message.data(), current->message.size(), "%s", message);
  } else if (previous_handler != nullptr) {
    previous_handler(user_context, message);
  }
}

int acquire_context(void* user_context, void** context, bool create) {
  if (!is_ours(user_context) || current->cuda_context == nullptr) {
    return previous_acquire(user_context, context, create);
  }
  *context = current->cuda_context;
  return 0;
}

int get_stream(void* user_context, void* context, void** stream) {
  if (!is_ours(user_context)) return previous_get_stream(user_context, context, stream);
  *stream = current->cuda_stream;
  return 0;
}

}  // namespace

halide_call::halide_call() {
  static std::once_flag once;
  std::call_once(once, [] {
    previous_handler = halide_set_error_handler(on_error);
    if (halide_set_cuda_acquire_context != nullptr) {
      previous_acquire = halide_set_cuda_acquire_context(acquire_context);
      previous_get_stream = halide_set_cuda_get_stream(get_stream);
    }
  });
}

std::string halide_call::message_on_one_line() const {
  std::string text(message.data());
  std::replace(text.begin(), text.end(), '\n', ' ');
  while (!text.empty() && (text.back() == ' ' || text.back() == ':')) text.pop_back();
  return text;
}

void halide_call::begin() {
  message[0] = '\0';
  current = this;
}

void halide_call::end() { current = nullptr; }

}  // namespace axismask
