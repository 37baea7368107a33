// Devices besides the processor: memory of theirs, and ways into it.
#include "device/device.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <string>
#include <utility>

#include "axismask/messages/error.hpp"

namespace axismask {
namespace {

constexpr halide_type_t byte_type(halide_type_uint, 8, 1);

// More than this is sent each time, without a look at what is there.
constexpr std::int64_t remembered_bytes = std::int64_t{1} << 20;

// The axes of `bytes` bytes: parts, for what is more than one.
std::array<halide_dimension_t, 2> axes_of_bytes(std::int64_t bytes) {
  constexpr std::int64_t part = std::int64_t{1} << device_place::part_bits;
  return {halide_dimension_t(0, static_cast<std::int32_t>(std::min(bytes, part)), 1),
          halide_dimension_t(0, static_cast<std::int32_t>((bytes + part - 1) / part), static_cast<std::int32_t>(part))};
}

}  // namespace

void check_device(const device& on, const char* what, int code) {
  if (code == 0) return;
  throw error("device-failed", std::string(on.name),
              std::string(what) + " gave code " + std::to_string(code) + " (" + on.call.message_on_one_line() + ")",
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
  whole_ = {};
  whole_.type = byte_type;
  whole_.dimensions = 2;
  whole_.dim = axes.data();
  const int code = on.call.run([&] { return halide_device_malloc(&on.call, &whole_, on.interface); });
  whole_.dim = nullptr;
  check_device(on, "taking memory", code);
  bytes_ = rounded;
}

void device_memory::upload(device& on, const std::byte* from, std::int64_t bytes) {
  const auto count = static_cast<std::size_t>(bytes);
  if (holds_.size() == count && std::memcmp(holds_.data(), from, count) == 0) return;
  reserve(on, bytes);
  if (bytes > remembered_bytes) {
    copy_to_device(on, whole_, from, bytes);
    // The caller's memory may be pinned: CUDA then reads it later, when the stream comes to it.
    if (on.call.cuda_stream != nullptr) wait_for(on);
    return;
  }
  std::vector<std::byte> sent = std::move(holds_);
  sent.assign(from, from + bytes);
  copy_to_device(on, whole_, sent.data(), bytes);
  holds_ = std::move(sent);  // only now: it may have failed
}

void device_memory::release(device& on) noexcept {
  if (whole_.device != 0) on.call.run([&] { return halide_device_free(&on.call, &whole_); });
  whole_ = {};
  bytes_ = 0;
  holds_.clear();
}

wrapped_memory::wrapped_memory(device& on, void* handle) : on_(on) {
  const auto number = reinterpret_cast<std::uintptr_t>(handle);
  auto axes = axes_of_bytes(1);
  whole_.type = byte_type;
  whole_.dimensions = 2;
  whole_.dim = axes.data();
  const int code =
      on.call.run([&] { return halide_device_wrap_native(&on.call, &whole_, std::uint64_t{number}, on.interface); });
  whole_.dim = nullptr;
  check_device(on, "looking at an array in its memory", code);
}

wrapped_memory::~wrapped_memory() {
  auto axes = axes_of_bytes(1);
  whole_.dim = axes.data();
  on_.call.run([&] { return halide_device_detach_native(&on_.call, &whole_); });
}

device_place::device_place(device& on, const halide_buffer_t& whole, std::int64_t part) : on_(on) {
  place_.type = byte_type;
  place_.dimensions = 2;
  if (part == 0) {
    place_.device = whole.device;
    place_.device_interface = whole.device_interface;
    return;
  }
  auto from = axes_of_bytes(1);
  auto to = from;
  to[1].min = static_cast<std::int32_t>(part);
  halide_buffer_t source = whole;
  source.dim = from.data();
  place_.dim = to.data();
  const int code = on.call.run([&] { return halide_device_crop(&on.call, &source, &place_); });
  place_.dim = nullptr;
  check_device(on, "looking into its memory", code);
  is_cropped_ = true;
}

device_place::~device_place() {
  if (is_cropped_) on_.call.run([&] { return halide_device_release_crop(&on_.call, &place_); });
}

halide_buffer_t device_place::seen_as(halide_type_t type, std::span<halide_dimension_t> axes) const {
  halide_buffer_t array = place_;
  array.type = type;
  array.dimensions = static_cast<std::int32_t>(axes.size());
  array.dim = axes.data();
  return array;
}

namespace {

enum class direction { to_device, to_host };

void copy_parts(device& on, const halide_buffer_t& whole, std::byte* host, std::int64_t bytes, direction which) {
  constexpr std::int64_t part = std::int64_t{1} << device_place::part_bits;
  for (std::int64_t first = 0; first < bytes; first += part) {
    const device_place place(on, whole, first / part);
    halide_dimension_t axis(0, static_cast<std::int32_t>(std::min(part, bytes - first)), 1);
    halide_buffer_t array = place.seen_as(byte_type, {&axis, 1});
    array.host = reinterpret_cast<std::uint8_t*>(host + first);
    const bool to_device = which == direction::to_device;
    array.set_host_dirty(to_device);
    array.set_device_dirty(!to_device);
    const int code = on.call.run([&] {
      return to_device ? halide_copy_to_device(&on.call, &array, on.interface) : halide_copy_to_host(&on.call, &array);
    });
    check_device(on, to_device ? "copying to it" : "copying from it", code);
  }
}

}  // namespace

void copy_to_device(device& on, const halide_buffer_t& whole, const std::byte* from, std::int64_t bytes) {
  copy_parts(on, whole, const_cast<std::byte*>(from), bytes, direction::to_device);
}

void copy_to_host(device& on, const halide_buffer_t& whole, std::byte* to, std::int64_t bytes) {
  copy_parts(on, whole, to, bytes, direction::to_host);
  wait_for(on);
}

void wait_for(device& on) {
  check_device(on, "waiting for it", on.call.run([&] { return halide_device_sync_global(&on.call, on.interface); }));
}

}  // namespace axismask
