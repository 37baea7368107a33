// Devices besides the processor: memory of theirs, and ways into it.
// The room holds what is done with a job on a device: what is sent, which tiles are listed, how kernels are called.
// Nothing of cpu/ or call/ may come in here.
#pragma once

#include <HalideRuntime.h>

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "kernels/halide_call.hpp"

namespace axismask {

// A device, as a call uses it: with a CUDA context and stream, if it has such.
struct device {
  device(const halide_device_interface_t* the_interface, std::string_view the_name, bool pointers)
      : interface(the_interface), name(the_name), has_pointers(pointers) {}

  const halide_device_interface_t* interface;
  std::string_view name;
  bool has_pointers;  // an array may start within its memory, as it may for CUDA
  halide_call call;
};

// Throws error[device-failed] unless `code` is 0. `act` says what gave it: "copying to it".
void check_device(const device& on, const char* act, int code);

// Memory of a device. It grows when more is asked for, and is kept until it is released.
class device_memory {
 public:
  device_memory() = default;
  device_memory(const device_memory&) = delete;
  device_memory& operator=(const device_memory&) = delete;

  [[nodiscard]] const halide_buffer_t& buffer() const { return buffer_; }
  // Makes room for so many bytes. What was there is lost.
  void reserve(device& on, std::int64_t bytes);
  // Copies bytes there, making room. Small data that the last upload copied already is not sent again.
  void upload(device& on, const std::byte* from, std::int64_t bytes);
  // To be called before anything else writes there: the next upload then sends its data in any case.
  void forget() { sent_.clear(); }
  void release(device& on) noexcept;

 private:
  halide_buffer_t buffer_{};
  std::int64_t bytes_ = 0;
  std::vector<std::byte> sent_;
};

// A caller's memory of a device, for the time of a call.
class wrapped_memory {
 public:
  wrapped_memory(device& on, void* handle);
  wrapped_memory(const wrapped_memory&) = delete;
  wrapped_memory& operator=(const wrapped_memory&) = delete;
  ~wrapped_memory();

  [[nodiscard]] const halide_buffer_t& buffer() const { return buffer_; }

 private:
  device& on_;
  halide_buffer_t buffer_{};
};

// A device's memory from a section on, which is 2^29 bytes long. Kernels count bytes from the section's start; devices
// other than CUDA's do not let an array start just anywhere. A box spans a section at most: it starts up to two
// sections behind the start of one when it reaches backwards, and Halide takes twice that as the size of the array,
// which must be less than 2^31.
class memory_section {
 public:
  static constexpr int bits = 29;
  static constexpr std::int64_t bytes = std::int64_t{1} << bits;

  memory_section(device& on, const halide_buffer_t& memory, std::int64_t section);
  memory_section(const memory_section&) = delete;
  memory_section& operator=(const memory_section&) = delete;
  ~memory_section();

  // An array of these axes in it.
  [[nodiscard]] halide_buffer_t seen_as(halide_type_t type, std::span<halide_dimension_t> axes) const;

 private:
  device& on_;
  halide_buffer_t buffer_{};
  bool is_cropped_ = false;
};

// Copies from and to contiguous memory of the host. Both are done when they return, except that a stream of CUDA reads
// pinned memory when it comes to it.
void copy_to_device(device& on, const halide_buffer_t& memory, const std::byte* from, std::int64_t bytes);
void copy_to_host(device& on, const halide_buffer_t& memory, std::byte* to, std::int64_t bytes);
// Waits for all that was given to the device.
void wait_for(device& on);

}  // namespace axismask
