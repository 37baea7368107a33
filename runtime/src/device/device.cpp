// Devices besides the processor: memory of theirs, and ways into it.
#include "device/device.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <string>
#include <utility>

#include "arrays/whole_parts.hpp"
#include "axismask/messages/error.hpp"

namespace axismask {
namespace {

constexpr halide_type_t byte_type(halide_type_uint, 8, 1);

// More than this is sent each time, without a look at what is there.
constexpr std::int64_t remembered_bytes = std::int64_t{1} << 20;

// The axes of `bytes` bytes: those in a section, and the sections.
std::array<halide_dimension_t, 2> axes_of_bytes(std::int64_t bytes) {
  constexpr std::int64_t section = memory_section::bytes;
  return {
      halide_dimension_t(0, static_cast<std::int32_t>(std::min(bytes, section)), 1),
      halide_dimension_t(0, static_cast<std::int32_t>(parts_of(bytes, section)), static_cast<std::int32_t>(section))};
}

}  // namespace

void check_device(const device& on, const char* act, int code) {
  if (code == 0) return;
  throw error("device-failed", std::string(on.name),
              std::string(act) + " gave code " + std::to_string(code) + " (" + on.call.message_on_one_line() + ")",
              "see that the device has memory to spare and that the arrays are its own, or compute with cpu");
}

void device_memory::reserve(device& on, std::int64_t bytes) {
  forget();
  if (bytes <= bytes_) return;
  release(on);
  // Rounded up, so that sizes that grow step by step do not each take memory anew.
  std::int64_t rounded = 4096;
  while (rounded < bytes) rounded += rounded / 2;
  auto axes = axes_of_bytes(rounded);
  buffer_ = {};
  buffer_.type = byte_type;
  buffer_.dimensions = 2;
  buffer_.dim = axes.data();
  const int code = on.call.run([&] { return halide_device_malloc(&on.call, &buffer_, on.interface); });
  buffer_.dim = nullptr;
  check_device(on, "taking memory", code);
  bytes_ = rounded;
}

void device_memory::upload(device& on, const std::byte* from, std::int64_t bytes) {
  const auto count = static_cast<std::size_t>(bytes);
  if (sent_.size() == count && std::memcmp(sent_.data(), from, count) == 0) return;
  reserve(on, bytes);
  if (bytes > remembered_bytes) {
    copy_to_device(on, buffer_, from, bytes);
    // The caller's memory may be pinned: CUDA then reads it later, when the stream comes to it.
    if (on.call.cuda_stream != nullptr) wait_for(on);
    return;
  }
  std::vector<std::byte> data = std::move(sent_);
  data.assign(from, from + bytes);
  copy_to_device(on, buffer_, data.data(), bytes);
  sent_ = std::move(data);  // only now: it may have failed
}

void device_memory::release(device& on) noexcept {
  // CUDA's part of Halide reads the size of what it frees.
  auto axes = axes_of_bytes(bytes_);
  buffer_.dim = axes.data();
  if (buffer_.device != 0) on.call.run([&] { return halide_device_free(&on.call, &buffer_); });
  buffer_ = {};
  bytes_ = 0;
  sent_.clear();
}

wrapped_memory::wrapped_memory(device& on, void* handle) : on_(on) {
  const auto number = reinterpret_cast<std::uintptr_t>(handle);
  auto axes = axes_of_bytes(1);
  buffer_.type = byte_type;
  buffer_.dimensions = 2;
  buffer_.dim = axes.data();
  const int code =
      on.call.run([&] { return halide_device_wrap_native(&on.call, &buffer_, std::uint64_t{number}, on.interface); });
  buffer_.dim = nullptr;
  check_device(on, "looking at an array in its memory", code);
}

wrapped_memory::~wrapped_memory() {
  auto axes = axes_of_bytes(1);
  buffer_.dim = axes.data();
  on_.call.run([&] { return halide_device_detach_native(&on_.call, &buffer_); });
}

memory_section::memory_section(device& on, const halide_buffer_t& memory, std::int64_t section) : on_(on) {
  buffer_.type = byte_type;
  buffer_.dimensions = 2;
  if (section == 0) {
    buffer_.device = memory.device;
    buffer_.device_interface = memory.device_interface;
    return;
  }
  auto from = axes_of_bytes(1);
  auto to = from;
  to[1].min = static_cast<std::int32_t>(section);
  halide_buffer_t source = memory;
  source.dim = from.data();
  buffer_.dim = to.data();
  const int code = on.call.run([&] { return halide_device_crop(&on.call, &source, &buffer_); });
  buffer_.dim = nullptr;
  check_device(on, "looking into its memory", code);
  is_cropped_ = true;
}

memory_section::~memory_section() {
  if (is_cropped_) on_.call.run([&] { return halide_device_release_crop(&on_.call, &buffer_); });
}

halide_buffer_t memory_section::seen_as(halide_type_t type, std::span<halide_dimension_t> axes) const {
  halide_buffer_t array = buffer_;
  array.type = type;
  array.dimensions = static_cast<std::int32_t>(axes.size());
  array.dim = axes.data();
  return array;
}

namespace {

enum class direction { to_device, to_host };

void copy_sections(device& on, const halide_buffer_t& memory, std::byte* host, std::int64_t bytes, direction towards) {
  const bool to_device = towards == direction::to_device;
  for (std::int64_t begin = 0; begin < bytes; begin += memory_section::bytes) {
    const memory_section section(on, memory, begin / memory_section::bytes);
    halide_dimension_t axis(0, static_cast<std::int32_t>(std::min(memory_section::bytes, bytes - begin)), 1);
    halide_buffer_t array = section.seen_as(byte_type, {&axis, 1});
    array.host = reinterpret_cast<std::uint8_t*>(host + begin);
    array.set_host_dirty(to_device);
    array.set_device_dirty(!to_device);
    const int code = on.call.run([&] {
      return to_device ? halide_copy_to_device(&on.call, &array, on.interface) : halide_copy_to_host(&on.call, &array);
    });
    check_device(on, to_device ? "copying to it" : "copying from it", code);
  }
}

}  // namespace

void copy_to_device(device& on, const halide_buffer_t& memory, const std::byte* from, std::int64_t bytes) {
  copy_sections(on, memory, const_cast<std::byte*>(from), bytes, direction::to_device);
}

void copy_to_host(device& on, const halide_buffer_t& memory, std::byte* to, std::int64_t bytes) {
  copy_sections(on, memory, to, bytes, direction::to_host);
  wait_for(on);
}

void wait_for(device& on) {
  check_device(on, "waiting for it", on.call.run([&] { return halide_device_sync_global(&on.call, on.interface); }));
}

}  // namespace axismask
