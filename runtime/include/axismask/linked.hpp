// The layers that are linked into this program, and their kernels: what `axismask_add_layers` made. A library of layers
// is found because its record stands in a linker section, so nothing runs before main and nothing is registered.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "axismask/layer/layer_type.hpp"

struct halide_device_interface_t;  // Halide's

namespace axismask {

// One compiled kernel: a layer's mask for one element width and one width of positions, on one kind of processor.
struct kernel {
  std::string_view variant;               // its name in the list of targets: "avx2"
  std::string_view target;                // Halide's name of the target: "x86-64-linux-avx2-..."
  std::array<std::uint64_t, 2> features;  // the processor features that it needs, as Halide numbers them
  int vector_bits;                        // of the vectors that it runs with only (SVE); 0: it does not depend on them
  int element_bytes;                      // 2, 4 or 8
  int position_bytes;                     // 4 or 8
  bool words;                             // for devices: sees the logits as words of 32 bits, 4 at a time
  const halide_device_interface_t* (*device)();  // Halide's record of the device; null: the processor
  int (*run)(void** arguments);                  // Halide's argument-vector entry; 0, or an error code
};

// A layer's type with all its kernels, best variant first.
struct linked_layer {
  const layer_type* type;
  std::span<const kernel> kernels;
};

// The layers of one `axismask_add_layers` library.
struct layer_library {
  std::string_view name;
  std::span<const linked_layer> layers;
};

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

// Puts the address of a layer_library where the runtime finds it.
#define AXISMASK_LINKED_LIBRARY __attribute__((section("axismask_libraries"), used, retain))
