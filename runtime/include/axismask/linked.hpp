// The layers that are linked into this program, and their kernels: what `axismask_add_layers` made. A library of layers
// is found because its record stands in a linker section, so nothing runs before main and nothing is registered.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "axismask/kernel/kernel.hpp"

namespace axismask {

// All libraries linked into this program, in the linker's order.
[[nodiscard]] std::span<const layer_library* const> linked_libraries();

// The layer of that type, or nullptr. Throws `error` when two different layers have that name.
[[nodiscard]] const linked_layer* find_linked_layer(std::string_view type);

// Can this machine run the kernel? A device is asked once.
[[nodiscard]] bool is_usable(const kernel& kernel);
// Why a device's kernel cannot run; nothing when it can, and for the processor's.
[[nodiscard]] const std::string& device_problem(const kernel& kernel);

// The processor's kernels of a layer that run here: those of the best variant that is usable, or of the one that was
// asked for. None when there is none; then the variant is empty.
[[nodiscard]] std::span<const kernel> chosen_kernels(const linked_layer& layer);
[[nodiscard]] std::string_view chosen_variant(const linked_layer& layer);

// The kernels of a layer for a device, by its name in the list of targets; for "auto", the first that can be used.
// Errors: device-unknown; device-unusable, with the reason.
[[nodiscard]] std::span<const kernel> device_kernels(const linked_layer& layer, std::string_view device);

// Asks for one of the processor's variants everywhere ("sse41"); an empty name asks for the best again. For tests and
// benchmarks. Throws `error` when no linked kernel has that variant or this machine cannot run it.
void force_variant(std::string_view variant);

}  // namespace axismask
