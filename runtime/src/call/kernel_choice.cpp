// Which kernels compute a call.
#include "call/kernel_choice.hpp"

#include <algorithm>
#include <string>
#include <string_view>

#include "arrays/bind_arrays.hpp"

namespace axismask {
namespace {

const linked_layer& find_linked(const layer_type& type) {
  const linked_layer* linked = find_linked_layer(type.name);
  if (linked != nullptr) return *linked;
  throw error("kernel-missing", std::string(type.name), "no kernel of this layer is linked into the program",
              "name it in AXISMASK_LAYERS of a header given to axismask_add_layers, and link that library");
}

std::span<const kernel> kernels_that_run(const linked_layer& linked) {
  const std::span<const kernel> kernels = chosen_kernels(linked);
  if (!kernels.empty()) return kernels;
  throw error("kernel-missing", std::string(linked.type->name), "none of its kernels runs on this machine",
              "list a target for it in axismask_add_layers(... TARGETS ...); `axismask kernels` shows what there is");
}

// Is any array in a device's memory? Throws `error` when arrays are in different memories that do not go together.
bool needs_device(const call_request& request) {
  const bool on_device = request.logits.is_in_device_memory();
  if (request.out.is_in_device_memory() != on_device) {
    throw error("device-memory", "out",
                on_device ? "the logits are in a device's memory, and it is not"
                          : "it is in a device's memory, and the logits are not",
                "give both in the same memory");
  }
  const auto in_device = std::find_if(request.side_inputs.begin(), request.side_inputs.end(),
                                      [](const side_input& input) { return input.array.is_in_device_memory(); });
  const bool any_on_device = on_device || in_device != request.side_inputs.end();
  if (request.options.device == "cpu" && any_on_device) {
    throw error("device-memory", on_device ? "logits" : std::string(in_device->name),
                "it is in a device's memory, and the call is for the processor",
                "name the device in call_options::device, or give memory of the host");
  }
  return any_on_device;
}

}  // namespace

std::span<const kernel> find_kernels(const call_request& request) {
  const linked_layer& linked = find_linked(*request.layer.type);
  check_memory("logits", request.logits);
  const std::string_view device = request.options.device;
  const bool any_on_device = needs_device(request);
  if (device != "cpu" && (device != "auto" || any_on_device)) return device_kernels(linked, device);
  return kernels_that_run(linked);
}

std::span<const kernel> find_cpu_kernels(const layer_type& type) { return kernels_that_run(find_linked(type)); }

}  // namespace axismask
