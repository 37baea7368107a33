// The layers that are linked into this program, and their kernels: what `axismask_add_layers` made. A library of layers
// is found because its records stand in a linker section, so nothing runs before main and nothing is registered.
// Plugins of layers that a running program loads come after them.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "axismask/kernel/kernel.hpp"

namespace axismask {

// Returns all libraries of which layers are linked into this program, in the linker's order, then those of plugins:
// each with those of its layers that are there, and a layer with its kernels for the processor and then those for
// devices.
[[nodiscard]] std::span<const layer_library* const> linked_libraries();

// Finds the layer type of that name; nullptr if it is not linked. Throws `error` when two different types have that
// name.
[[nodiscard]] const linked_layer* find_linked_layer(std::string_view type);

// Loads a shared library of layers, which `axismask_add_layers(... PLUGIN)` made with the headers of this version: from
// then on, until the program ends, they are linked layers, which specs may name. `file` is a path; without a "/" it is
// a file of the working folder or, if there is none, one that the system's loader finds. Loading it again does nothing.
// Threads may load and call at once. Throws `error`, and then nothing is loaded: layers-load when it is no such
// library, layers-version when it was made with other headers, layer-ambiguous when there is a layer of one of its
// names.
void load_layers(const std::string& file);

// Returns whether this processor has these features, as Halide numbers them, and vectors of this length; 0 is any.
[[nodiscard]] bool can_run(const std::array<std::uint64_t, 2>& features, int vector_bits);

// Returns whether this machine can run the kernel. A device is asked once.
[[nodiscard]] bool is_usable(const kernel& kernel);
// Returns why a device's kernel cannot run; empty when it can, and for a kernel of the processor.
[[nodiscard]] const std::string& device_problem(const kernel& kernel);

// Returns the processor's kernels of a layer that run here, and their variant: the best that is usable, or the one that
// `force_variant` asked for. Both are empty when there is none.
[[nodiscard]] std::span<const kernel> chosen_kernels(const linked_layer& layer);
[[nodiscard]] std::string_view chosen_variant(const linked_layer& layer);

// Returns the kernels of a layer for a device, by its name in the list of targets, or for "auto" those of the first
// that can be used. Errors: device-unknown; device-unusable, with the reason.
[[nodiscard]] std::span<const kernel> device_kernels(const linked_layer& layer, std::string_view device);

// Makes every later call use one of the processor's variants ("sse41"); with an empty name, the best again. For tests
// and benchmarks. Throws `error` when no linked kernel has that variant or this machine cannot run it.
void force_variant(std::string_view variant);
// Returns the variant that was asked for; empty: the best.
[[nodiscard]] std::string_view asked_variant();

}  // namespace axismask
