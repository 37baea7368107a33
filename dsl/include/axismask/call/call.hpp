// The door between the DSL and the runtime: a layer's attributes as run-time values, and the one function that runs a
// layer on arrays. The DSL declares it; the runtime, which knows the kernels, defines it.
//
// The room call/ holds a call of a layer: its checks by the compiler, and the door to the runtime.
// What may never enter it: kernels, and how layers are declared.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "axismask/arrays/any_view.hpp"
#include "axismask/call/side_input.hpp"
#include "axismask/layer/attributes.hpp"
#include "axismask/layer/layer_type.hpp"

namespace axismask {

struct attribute_value {
  std::string_view name;              // of a side input or an axis
  std::int64_t number = 0;            // of a parameter that is one number
  const any_view* numbers = nullptr;  // of a parameter that has axes; int64
};

struct layer_values {
  const layer_type* type;
  masked_value masked_out_value;
  std::array<attribute_value, max_attributes> attributes;  // in the order of the type's attributes
  // The rule for rows of which nothing is kept.
  axismask::empty_row_rule empty_rows = axismask::empty_row_rule::masked;
};

struct tile_plan;  // plan.hpp

// Options of a call: its tiles, threads and device. None of them changes the result.
struct call_options {
  // A plan made for the same layer and side inputs (plan.hpp), so that the call need not make it.
  const tile_plan* plan = nullptr;

  // At most this many threads work at once, the caller's included. 0: one for each processor that the process may use.
  int threads = 0;

  // The caller's own threads: runs task(context, i) once for each i from 0 to count - 1, in any order, on any threads
  // (the caller's too), and returns when all are done, or it is the error call-pool. `count` is at most `threads`.
  void (*run_tasks)(void* pool, int count, void (*task)(void* context, int index), void* context) = nullptr;
  void* pool = nullptr;

  // Where to compute: "cpu"; a device for which kernels are linked, by its name in the list of targets ("cuda",
  // "opencl"); or "auto", which is the first device that can be used for arrays in a device's memory, and the processor
  // for all others, since the way to a device and back takes longer than the mask.
  std::string_view device = "auto";
  // CUDA: the caller's CUcontext, else the one that is current on this thread or, when there is none, Halide's own.
  void* context = nullptr;
  // CUDA: the caller's CUstream, else the default stream. With a stream, and all arrays but the side inputs' numbers in
  // the device's memory, the call returns when its work stands in the stream, else when it is done.
  void* stream = nullptr;
};

// Writes to `out` the logits where the layer keeps them and its masked value elsewhere. `out` has the logits' axes (in
// any order), sizes and dtype; it is the logits themselves (in place) or does not overlap them. The call returns when
// the result is there (see call_options::stream). After the first call of its size it allocates no array, on a device
// either. The result may not lie over a side input.
// Throws `error` for anything that is wrong with the call, before anything is written.
void apply(const layer_values& layer, const any_view& logits, const any_view& out,
           std::span<const side_input> side_inputs, const call_options& options = {});

// Gives back the device memory that the calls of this thread keep for the next ones: to be called before a CUcontext or
// a CUstream that such calls were given is destroyed.
void release_device_memory();

}  // namespace axismask
