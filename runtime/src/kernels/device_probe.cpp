// Finds out whether devices can be used.
#include "kernels/device_probe.hpp"

#include <HalideRuntime.h>
#include <dlfcn.h>

#include <map>
#include <mutex>
#include <string>
#include <string_view>

#include "axismask/linked.hpp"
#include "kernels/halide_call.hpp"

namespace axismask {
namespace {

// Tries the device by having a little of its memory. What Halide says when that fails is the reason.
std::string try_device(const kernel& kernel) {
  halide_call call;
  if (is_cuda(kernel)) {
    // Halide 21 looks for the functions of the driver in the program before it loads a library, whose name it has
    // without the version that users' machines have it with.
    if (::dlopen("libcuda.so.1", RTLD_NOW | RTLD_GLOBAL) == nullptr) {
      return "there is no libcuda.so.1, which comes with the driver of an NVIDIA card";
    }
    // In a context that is there, so that Halide does not make one of its own for this.
    call.cuda_context = current_cuda_context();
  }
  const halide_device_interface_t* interface = kernel.device();
  halide_dimension_t axis(0, 16, 1);
  halide_buffer_t memory{};
  memory.type = halide_type_t(halide_type_uint, 8, 1);
  memory.dimensions = 1;
  memory.dim = &axis;
  const int code = call.run([&] { return halide_device_malloc(&call, &memory, interface); });
  if (code == 0) {
    call.run([&] { return halide_device_free(&call, &memory); });
    return {};
  }
  const std::string text = call.message_on_one_line();
  return text.empty() ? "its runtime gave code " + std::to_string(code) : text;
}

}  // namespace

const std::string& device_problem(const kernel& kernel) {
  static const std::string none;
  if (kernel.device == nullptr) return none;
  static std::mutex mutex;
  static std::map<const halide_device_interface_t*, std::string> problems;
  const std::lock_guard lock(mutex);
  const auto [place, is_new] = problems.try_emplace(kernel.device());
  if (is_new) place->second = try_device(kernel);
  return place->second;
}

bool is_cuda(const kernel& kernel) { return kernel.target.find("-cuda") != std::string_view::npos; }

void* current_cuda_context() {
  using get_current = int (*)(void**);
  static const auto function = reinterpret_cast<get_current>(::dlsym(RTLD_DEFAULT, "cuCtxGetCurrent"));
  void* context = nullptr;
  return function != nullptr && function(&context) == 0 ? context : nullptr;
}

}  // namespace axismask
