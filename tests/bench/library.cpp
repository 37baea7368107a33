// The C++ side of scripts/bench and scripts/bench-gpu, a shared library that bench.py and gpu.py load into their own
// process: ours and the floor work on the very memory that NumPy and torch work on. Clocks stand here, so that ctypes
// costs no one anything.
#include <HalideRuntime.h>
#include <HalideRuntimeOpenCL.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <exception>
#include <memory>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "axismask/forms.hpp"
#include "axismask/kernel/kernel.hpp"
#include "axismask/linked.hpp"
#include "axismask/mask.hpp"
#include "axismask/model.hpp"
#include "axismask/plan.hpp"
#include "axismask/spans.hpp"
#include "direct_call.hpp"
#include "floor.hpp"

// Weak: it is there when kernels for OpenCL are linked.
extern "C" {
#pragma weak halide_opencl_get_cl_mem
}

namespace axismask::bench {
namespace {

constexpr std::size_t most_axes = 4;

// As ours.py lays them out.
struct array_record {
  void* data;
  std::int32_t type;
  std::int32_t rank;
  std::int32_t on_device;
  std::array<const char*, most_axes> names;
  std::array<std::int64_t, most_axes> sizes;
  std::array<std::int64_t, most_axes> strides;  // in elements
};

struct input_record {
  const char* name;
  array_record array;
};

thread_local std::string last_error;

// The most threads of a call on the processor.
std::int32_t threads = 0;

// A layer with the arrays that it is to be applied to.
struct bench_call {
  Model model;
  const any_layer* layer = nullptr;
  std::vector<std::unique_ptr<std::string>> names;  // of axes and inputs: views do not own them
  any_view logits;
  any_view out;
  std::vector<side_input> inputs;
  std::optional<floor_loop> floor;
  std::string device = "auto";
  tile_plan plan;
  // How ours is run: on the processor, and without a plan that was made before. Finding out where the mask is, is work
  // of each call, as it is for the peers. See axismask_bench_use_device and axismask_bench_use_plan.
  call_options options{.threads = threads};

  explicit bench_call(const char* spec) : model(Model::parse(spec, "the benchmark's spec")) {
    layer = &model.layers()[0];
  }

  std::string_view own(const char* name) {
    names.push_back(std::make_unique<std::string>(name));
    return *names.back();
  }

  any_view view_of(const array_record& array) {
    std::array<named_axis, most_axes> axes;
    for (std::size_t axis = 0; axis < most_axes && axis < static_cast<std::size_t>(array.rank); ++axis) {
      axes[axis] = {own(array.names[axis]), array.sizes[axis], array.strides[axis]};
    }
    const any_view view(array.data, static_cast<dtype>(array.type),
                        std::span(axes).first(static_cast<std::size_t>(array.rank)));
    return array.on_device != 0 ? view.in_device_memory() : view;
  }
};

// Memory of a device, for devices of which no other library of the benchmark has memory.
struct device_array {
  halide_buffer_t buffer{};
  halide_dimension_t axis;

  device_array(const halide_device_interface_t* device, std::int64_t bytes) {
    if (bytes > INT32_MAX) throw std::runtime_error("an array of " + std::to_string(bytes) + " bytes is too large");
    axis = halide_dimension_t(0, static_cast<std::int32_t>(bytes), 1);
    buffer.type = halide_type_of<std::uint8_t>();
    buffer.dimensions = 1;
    buffer.dim = &axis;
    check("taking memory", halide_device_malloc(nullptr, &buffer, device));
  }
  device_array(const device_array&) = delete;
  device_array& operator=(const device_array&) = delete;
  ~device_array() { halide_device_free(nullptr, &buffer); }

  [[nodiscard]] void* handle() { return reinterpret_cast<void*>(halide_opencl_get_cl_mem(nullptr, &buffer)); }
  void write(const void* from) {
    buffer.host = static_cast<std::uint8_t*>(const_cast<void*>(from));
    buffer.set_device_dirty(false);
    buffer.set_host_dirty();
    check("writing to it", halide_copy_to_device(nullptr, &buffer, buffer.device_interface));
  }
  void read(void* to) {
    buffer.host = static_cast<std::uint8_t*>(to);
    buffer.set_host_dirty(false);
    buffer.set_device_dirty();
    check("reading from it", halide_copy_to_host(nullptr, &buffer));
  }

 private:
  static void check(const char* what, int code) {
    if (code != 0) throw std::runtime_error(std::string("the device: ") + what + " gave code " + std::to_string(code));
  }
};

// Of a device by its name in the list of targets; any layer has kernels for it. Null when none are linked.
const kernel* kernel_for(std::string_view device) {
  for (const layer_library* library : linked_libraries()) {
    for (const linked_layer& layer : library->layers) {
      for (const kernel& kernel : layer.kernels) {
        if (kernel.device != nullptr && kernel.variant == device) return &kernel;
      }
    }
  }
  return nullptr;
}

void apply_ours(const bench_call& call) {
  if (call.logits.data() == call.out.data()) {
    call.layer->apply_in_place(call.options, call.logits, call.inputs);
  } else {
    call.layer->apply(call.options, call.logits, call.out, call.inputs);
  }
}

template <class Work>
std::int64_t nanoseconds(std::int64_t calls, Work work) {
  const auto start = std::chrono::steady_clock::now();
  for (std::int64_t call = 0; call < calls; ++call) work();
  return std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::steady_clock::now() - start).count();
}

// No exception leaves the library: a function that fails gives `failed`, and axismask_bench_error() says why.
template <class Result, class Work>
Result guarded(Result failed, Work work) {
  try {
    return work();
  } catch (const std::exception& problem) {
    last_error = problem.what();
    return failed;
  }
}

}  // namespace
}  // namespace axismask::bench

using axismask::bench::array_record;
using axismask::bench::bench_call;
using axismask::bench::device_array;
using axismask::bench::guarded;
using axismask::bench::input_record;
using axismask::bench::nanoseconds;

extern "C" {

const char* axismask_bench_error() { return axismask::bench::last_error.c_str(); }

void axismask_bench_threads(std::int32_t count) { axismask::bench::threads = count; }

// The first layer of a spec, on arrays. In place when the two have the same memory.
bench_call* axismask_bench_open(const char* spec, const array_record* logits, const array_record* out,
                                const input_record* inputs, std::int64_t input_count) {
  return guarded<bench_call*>(nullptr, [&] {
    auto call = std::make_unique<bench_call>(spec);
    call->logits = call->view_of(*logits);
    call->out = call->view_of(*out);
    for (std::int64_t input = 0; input < input_count; ++input) {
      call->inputs.push_back({call->own(inputs[input].name), call->view_of(inputs[input].array)});
    }
    return call.release();
  });
}

void axismask_bench_close(bench_call* call) { delete call; }

// Why a device cannot be used; nothing when it can.
const char* axismask_bench_device_problem(const char* device) {
  const axismask::kernel* kernel = axismask::bench::kernel_for(device);
  return kernel == nullptr ? "no kernels for it are linked" : axismask::device_problem(*kernel).c_str();
}

// From now on the call is run on that device, and in that stream of it (CUDA; null: it is waited for).
void axismask_bench_use_device(bench_call* call, const char* device, void* stream) {
  call->device = device;
  call->options.device = call->device;
  call->options.stream = stream;
}

// From now on the call is given a plan, which is made here. Its tiles are those of a device's kernels.
std::int32_t axismask_bench_use_plan(bench_call* call) {
  return guarded<std::int32_t>(-1, [&] {
    using namespace axismask::device_tile;
    constexpr std::int64_t word_bytes = 4;
    const std::int64_t element_bytes = axismask::info(call->logits.type()).bytes;
    call->plan = axismask::plan(
        call->layer->values(), {rows, threads_along_row * words_per_thread * word_bytes / element_bytes}, call->inputs);
    call->options.plan = &call->plan;
    return 0;
  });
}

// Memory of OpenCL. Null: an error.
device_array* axismask_bench_device_array(const char* device, std::int64_t bytes) {
  return guarded<device_array*>(nullptr, [&] {
    const axismask::kernel* kernel = axismask::bench::kernel_for(device);
    if (kernel == nullptr || halide_opencl_get_cl_mem == nullptr) throw std::runtime_error("OpenCL is not linked");
    return new device_array(kernel->device(), bytes);
  });
}
void axismask_bench_device_array_free(device_array* array) { delete array; }
void* axismask_bench_device_array_handle(device_array* array) { return array->handle(); }
std::int32_t axismask_bench_device_array_write(device_array* array, const void* from) {
  return guarded<std::int32_t>(-1, [&] { return array->write(from), 0; });
}
std::int32_t axismask_bench_device_array_read(device_array* array, void* to) {
  return guarded<std::int32_t>(-1, [&] { return array->read(to), 0; });
}

// Which variants of the layer this machine runs, best first, with commas between them.
const char* axismask_bench_variants(const bench_call* call) {
  static thread_local std::string names;
  names.clear();
  for (const axismask::kernel& kernel : axismask::find_linked_layer(call->layer->type().name)->kernels) {
    if (kernel.device != nullptr || !axismask::is_usable(kernel) || names.find(kernel.variant) != std::string::npos)
      continue;
    names += (names.empty() ? "" : ",") + std::string(kernel.variant);
  }
  return names.c_str();
}

// Nanoseconds of all the calls together, with a variant of the kernels ("" is the best). Below 0: an error.
std::int64_t axismask_bench_time(const bench_call* call, const char* variant, std::int64_t calls) {
  return guarded<std::int64_t>(-1, [&] {
    axismask::force_variant(variant);
    const std::int64_t taken = nanoseconds(calls, [&] { axismask::bench::apply_ours(*call); });
    axismask::force_variant("");
    return taken;
  });
}

// The same for several calls, which take turns: each of them `rounds` times.
std::int64_t axismask_bench_time_rounds(const bench_call* const* calls, std::int64_t count, std::int64_t rounds) {
  return guarded<std::int64_t>(-1, [&] {
    return nanoseconds(rounds, [&] {
      for (std::int64_t call = 0; call < count; ++call) axismask::bench::apply_ours(*calls[call]);
    });
  });
}

std::int64_t axismask_bench_time_direct(const bench_call* call, const char* variant, std::int64_t calls) {
  return guarded<std::int64_t>(-1, [&] {
    axismask::bench::direct_call direct(call->layer->values(), call->logits, call->inputs, variant);
    int code = 0;
    const std::int64_t taken = nanoseconds(calls, [&] { code |= direct(); });
    if (code != 0) throw std::runtime_error("the kernel gave code " + std::to_string(code));
    return taken;
  });
}

// Makes the call's floor ready; gives the threads that it uses, below 0 when its stores stream. 0: an error.
std::int32_t axismask_bench_make_floor(bench_call* call, std::int32_t kind, std::int32_t threads) {
  return guarded<std::int32_t>(0, [&] {
    call->floor.emplace(static_cast<axismask::bench::floor_kind>(kind), *call->layer, call->logits, call->out,
                        call->inputs, threads);
    return call->floor->streams() ? -call->floor->threads() : call->floor->threads();
  });
}

std::int64_t axismask_bench_time_floor(const bench_call* call, std::int64_t calls) {
  return guarded<std::int64_t>(-1, [&] { return call->floor.value().time(calls); });
}

std::int64_t axismask_bench_time_plan(const bench_call* call, std::int64_t tile, std::int64_t calls) {
  return guarded<std::int64_t>(-1, [&] {
    return nanoseconds(calls, [&] { (void)axismask::plan(call->layer->values(), {tile, tile}, call->inputs); });
  });
}

// The tiles of a plan, one byte each: 0 masked whole, 1 partial, 2 kept whole.
std::int32_t axismask_bench_plan(const bench_call* call, std::int64_t tile, std::uint8_t* tiles) {
  return guarded<std::int32_t>(-1, [&] {
    const axismask::tile_plan plan = axismask::plan(call->layer->values(), {tile, tile}, call->inputs);
    const auto mark = [&](const auto& list, std::uint8_t as) {
      for (std::size_t row = 0; row + 1 < list.starts.size(); ++row) {
        for (auto at = list.starts[row]; at < list.starts[row + 1]; ++at) {
          tiles[static_cast<std::int64_t>(row) * plan.columns + list.tiles[static_cast<std::size_t>(at)]] = as;
        }
      }
    };
    mark(plan.list_of(axismask::verdict::some), 1);
    mark(plan.list_of(axismask::verdict::all), 2);
    return 0;
  });
}

// Writes the layer's mask by itself to `out`, of bool or floats: nanoseconds of all the calls together.
std::int64_t axismask_bench_time_mask(bench_call* call, const array_record* out, std::int64_t calls) {
  return guarded<std::int64_t>(-1, [&] {
    const axismask::any_view view = call->view_of(*out);
    return nanoseconds(
        calls, [&] { axismask::write_mask(call->layer->values(), view, call->inputs, {.call = call->options}); });
  });
}

std::int64_t axismask_bench_time_spans(const bench_call* call, std::int64_t calls) {
  return guarded<std::int64_t>(-1, [&] {
    return nanoseconds(calls,
                       [&] { static_cast<void>(axismask::spans(call->layer->values(), call->inputs, call->options)); });
  });
}

// The begin and the end of each row's span; a row that has not one span is an error.
std::int32_t axismask_bench_spans(const bench_call* call, std::int64_t* begins, std::int64_t* ends) {
  return guarded<std::int32_t>(-1, [&] {
    const axismask::row_spans found = axismask::spans(call->layer->values(), call->inputs, call->options);
    for (std::size_t row = 0; row + 1 < found.starts.size(); ++row) {
      if (found.starts[row + 1] - found.starts[row] != 1) throw std::runtime_error("a row has not one span");
      const auto at = static_cast<std::size_t>(found.starts[row]);
      begins[row] = found.begins[at];
      ends[row] = found.ends[at];
    }
    return 0;
  });
}

std::int64_t axismask_bench_time_form(const bench_call* call, const char* form, std::int64_t tile, std::int64_t calls) {
  return guarded<std::int64_t>(-1, [&] {
    const axismask::form_options options{.tile = {tile, tile}, .call = call->options};
    return nanoseconds(
        calls, [&] { static_cast<void>(axismask::write_form(form, call->layer->values(), options, call->inputs)); });
  });
}

// An array of a form, of int32, copied to `out`.
std::int32_t axismask_bench_form_array(const bench_call* call, const char* form, std::int64_t tile, const char* name,
                                       std::int32_t* out) {
  return guarded<std::int32_t>(-1, [&] {
    const axismask::form_options options{.tile = {tile, tile}, .call = call->options};
    const axismask::plan_arrays arrays = axismask::write_form(form, call->layer->values(), options, call->inputs);
    const std::span<const std::int32_t> elements = arrays.get<std::int32_t>(name);
    std::copy(elements.begin(), elements.end(), out);
    return 0;
  });
}

// Compares bits: `result` must have those of `source` where `keep` is not 0, and `masked` elsewhere. All three are over
// the same four axes, each with its strides in elements. Gives the index of the first element in C order that differs,
// or -1.
std::int64_t axismask_bench_difference(const void* result, const std::int64_t* result_strides, const void* source,
                                       const std::int64_t* source_strides, const std::uint8_t* keep,
                                       const std::int64_t* keep_strides, const std::int64_t* sizes, const void* masked,
                                       std::int64_t element_bytes, std::int32_t threads) {
  const auto compare = [&]<class Bits>(Bits want_masked) {
    std::memcpy(&want_masked, masked, sizeof want_masked);
    const std::int64_t rows = sizes[0] * sizes[1] * sizes[2];
    const std::int64_t none = rows * sizes[3];
    std::atomic<std::int64_t> first{none};
    std::atomic<std::int64_t> next{0};
    const auto work = [&] {
      for (std::int64_t row = next++; row < rows; row = next++) {
        const auto start = [&](const auto* array, const std::int64_t* strides) {
          return array + row / (sizes[1] * sizes[2]) * strides[0] + row / sizes[2] % sizes[1] * strides[1] +
                 row % sizes[2] * strides[2];
        };
        const Bits* found = start(static_cast<const Bits*>(result), result_strides);
        const Bits* given = start(static_cast<const Bits*>(source), source_strides);
        const std::uint8_t* kept = start(keep, keep_strides);
        for (std::int64_t at = 0; at < sizes[3]; ++at) {
          const Bits want = kept[at * keep_strides[3]] != 0 ? given[at * source_strides[3]] : want_masked;
          if (found[at * result_strides[3]] == want) continue;
          std::int64_t lowest = first;
          while (row * sizes[3] + at < lowest && !first.compare_exchange_weak(lowest, row * sizes[3] + at)) {
          }
          break;
        }
      }
    };
    std::vector<std::thread> others;
    for (std::int32_t thread = 1; thread < threads; ++thread) others.emplace_back(work);
    work();
    for (std::thread& thread : others) thread.join();
    return first == none ? std::int64_t{-1} : first.load();
  };
  return element_bytes == 2 ? compare(std::uint16_t{}) : compare(std::uint32_t{});
}

}  // extern "C"
