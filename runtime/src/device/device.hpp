// Devices besides the processor: memory of theirs, and ways into it.
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

// Throws error[device-failed] unless `code` is 0.
void check_device(const device& on, const char* what, int code);

// Memory of a device, which grows and is kept.
class device_memory {
 public:
  device_memory() = default;
  device_memory(const device_memory&) = delete;
  device_memory& operator=(const device_memory&) = delete;

  [[nodiscard]] const halide_buffer_t& whole() const { return whole_; }
  // For something else than what is there.
  void reserve(device& on, std::int64_t bytes);
  // Small data that is there already, from the last call, is not sent again.
  void upload(device& on, const std::byte* from, std::int64_t bytes);
  // What is there is about to be changed.
  void forget() { holds_.clear(); }
  void release(device& on) noexcept;

 private:
  halide_buffer_t whole_{};
  std::int64_t bytes_ = 0;
  std::vector<std::byte> holds_;
};

// A caller's memory of a device, for the time of a call.
class wrapped_memory {
 public:
  wrapped_memory(device& on, void* handle);
  wrapped_memory(const wrapped_memory&) = delete;
  wrapped_memory& operator=(const wrapped_memory&) = delete;
  ~wrapped_memory();

  [[nodiscard]] const halide_buffer_t& whole() const { return whole_; }

 private:
  device& on_;
  halide_buffer_t whole_{};
};

// A part of a device's memory, 2^29 bytes long or shorter, and what follows it. Kernels count bytes within; devices
// other than CUDA's do not let an array start just anywhere. A box spans a part at most: it starts up to two parts
// behind the start of one when it reaches backwards, and Halide takes twice that as the size of the array, which must
// be less than 2^31.
class device_place {
 public:
  static constexpr int part_bits = 29;

  device_place(device& on, const halide_buffer_t& whole, std::int64_t part);
  device_place(const device_place&) = delete;
  device_place& operator=(const device_place&) = delete;
  ~device_place();

  // An array of these axes in it.
  [[nodiscard]] halide_buffer_t seen_as(halide_type_t type, std::span<halide_dimension_t> axes) const;

 private:
  device& on_;
  halide_buffer_t place_{};
  bool is_cropped_ = false;
};

// Copies from and to contiguous memory of the host. Both are done when they return, except that a stream of CUDA reads
// pinned memory when it comes to it.
void copy_to_device(device& on, const halide_buffer_t& whole, const std::byte* from, std::int64_t bytes);
void copy_to_host(device& on, const halide_buffer_t& whole, std::byte* to, std::int64_t bytes);
// Waits for all that was given to the device.
void wait_for(device& on);

}  // namespace axismask
