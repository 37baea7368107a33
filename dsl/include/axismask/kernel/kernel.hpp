// The room of kernels: what the generator, which makes them at build time, and the runtime, which calls them, must
// agree on. It holds the record of a kernel, the order of a kernel's arguments, and the numbers that both rely on. It
// knows what a layer is, and nothing of Halide or of the runtime.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "axismask/layer/layer_type.hpp"

struct halide_device_interface_t;  // Halide's

namespace axismask {

// ------------------------------------------------------------------------------------------------------- The record

// What a kernel does. A kernel is looked for by this first.
enum class operation : std::uint8_t {
  mask,  // out[...] = keep ? logits[...] : masked_out_value
  keep,  // kept[...] = keep ? 1 : 0, in bytes; of processors only
};

// One compiled kernel: an operation of a layer for one element width and one width of positions, for one target.
struct kernel {
  std::string_view variant;               // its name in the list of targets: "avx2"
  std::string_view target;                // Halide's name of the target: "x86-64-linux-avx2-..."
  std::array<std::uint64_t, 2> features;  // the processor features that it needs, as Halide numbers them
  int vector_bits;                        // of the vectors that it runs with only (SVE); 0: it does not depend on them
  axismask::operation operation;
  int element_bytes;                             // 2, 4 or 8; 1 of what is kept
  int position_bytes;                            // 4 or 8
  bool packs_words;                              // for devices: sees the logits as words of 32 bits, 4 at a time
  const halide_device_interface_t* (*device)();  // Halide's record of the device; null: the processor
  int (*run)(void** arguments);                  // Halide's argument-vector entry; 0, or an error code
};

// A layer's type with all its kernels, best variant first.
struct linked_layer {
  const layer_type* type;
  std::span<const kernel> kernels;
};

// Layers of one `axismask_add_layers` library. It has a record for each layer, in the object with the layer's kernels,
// and its kernels for a device have records of the same name; what the program has of them is put together
// (linked.hpp).
struct layer_library {
  std::string_view name;
  std::span<const linked_layer> layers;
};

// ------------------------------------------------------------------------------------------------------ The arguments

enum class argument : std::uint8_t {
  logits,       // an array
  operands,     // an array for each operand of `keep`, in its order: side inputs, then parameters
  masked_bits,  // the masked value's bits; for a device repeated to fill 64
  tiles,        // an array: for each tile its column and row, in tiles, and its index along axis 2
  work,         // a tile_work
  out,          // an array
  kept,         // an array of bytes
};

// A kernel's arguments in their order, after Halide's user context.
inline constexpr std::array cpu_arguments{argument::logits, argument::operands, argument::masked_bits, argument::out};
inline constexpr std::array keep_arguments{argument::operands, argument::kept};
inline constexpr std::array device_arguments{argument::logits, argument::operands, argument::masked_bits,
                                             argument::tiles,  argument::work,     argument::out};

// Every array of a processor's kernel has this many axes, innermost first; the runtime folds or loops over others.
// Operands have stride 0 along each axis that they lack.
inline constexpr std::size_t kernel_rank = 4;
// Those of a device's have one more, the last, at whose index 1 a box starts: its stride is how far in the array's
// memory that is. Not every device can point into an array.
inline constexpr std::size_t device_rank = kernel_rank + 1;

// ---------------------------------------------------------------------------------------------------- Tiles of devices

// What one call of a device's kernel does with all its tiles.
enum class tile_work : std::int32_t { decide = 0, copy = 1, fill = 2 };

// A tile is a block of threads: 32 along a row, the width of a warp, by 8. A thread has 4 rows, and of each of them one
// element, or 4 words of 32 bits where the array allows it.
namespace device_tile {
inline constexpr int threads_along_row = 32;
inline constexpr int threads_along_column = 8;
inline constexpr int rows_per_thread = 4;
inline constexpr int words_per_thread = 4;
inline constexpr int rows = threads_along_column * rows_per_thread;
}  // namespace device_tile

}  // namespace axismask

// Puts the address of a layer_library where the runtime finds it.
#define AXISMASK_LINKED_LIBRARY __attribute__((section("axismask_libraries"), used, retain))
