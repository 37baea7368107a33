// What tests of devices share: the devices whose kernels are linked, and memory of theirs.
#pragma once

#include <HalideRuntime.h>
#include <HalideRuntimeCuda.h>
#include <HalideRuntimeOpenCL.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "axismask/layers.hpp"
#include "axismask/linked.hpp"

// Weak: it is there when kernels for CUDA are linked.
extern "C" {
#pragma weak halide_cuda_get_device_ptr
}

namespace axismask::test {

using window = ApplyCausalSlidingWindowAttentionMask<>;
using explicit_mask = ApplyExplicitAttentionMask<>;

inline const linked_layer& layer_of(std::string_view name) { return *find_linked_layer(name); }

inline std::vector<std::string> linked_devices() {
  std::vector<std::string> names;
  for (const kernel& kernel : layer_of(layer_type_of<window>.name).kernels) {
    if (kernel.device != nullptr && (names.empty() || names.back() != kernel.variant)) {
      names.emplace_back(kernel.variant);
    }
  }
  return names;
}

class devices : public testing::TestWithParam<std::string> {
 protected:
  void SetUp() override {
    for (const kernel& kernel : layer_of(layer_type_of<window>.name).kernels) {
      if (kernel.variant != GetParam()) continue;
      if (!is_usable(kernel)) GTEST_SKIP() << device_problem(kernel);
      interface_ = kernel.device();
    }
  }
  void TearDown() override { release_device_memory(); }

  [[nodiscard]] call_options on_device() const { return {.device = name_}; }
  [[nodiscard]] const halide_device_interface_t* interface() const { return interface_; }

 private:
  const std::string name_ = GetParam();
  const halide_device_interface_t* interface_ = nullptr;
};

// What the device knows memory by.
inline void* handle_of(halide_buffer_t& memory) {
  const bool opencl = memory.device_interface == halide_opencl_device_interface();
  return reinterpret_cast<void*>(opencl ? halide_opencl_get_cl_mem(nullptr, &memory)
                                        : halide_cuda_get_device_ptr(nullptr, &memory));
}

// Elements in a device's memory, as a caller's engine has them.
template <class T>
class device_vector {
 public:
  device_vector(const halide_device_interface_t* interface, std::vector<T> elements) : elements_(std::move(elements)) {
    buffer_.type = halide_type_of<std::uint8_t>();
    buffer_.dimensions = 1;
    axis_ = halide_dimension_t(0, static_cast<std::int32_t>(elements_.size() * sizeof(T)), 1);
    buffer_.dim = &axis_;
    buffer_.host = reinterpret_cast<std::uint8_t*>(elements_.data());
    buffer_.set_host_dirty();
    EXPECT_EQ(halide_copy_to_device(nullptr, &buffer_, interface), 0);
  }
  device_vector(const device_vector&) = delete;
  device_vector& operator=(const device_vector&) = delete;
  ~device_vector() { halide_device_free(nullptr, &buffer_); }

  // What the device knows the memory by.
  [[nodiscard]] T* data() { return static_cast<T*>(handle_of(buffer_)); }

  const std::vector<T>& fetch() {
    std::fill(elements_.begin(), elements_.end(), T());
    buffer_.set_host_dirty(false);
    buffer_.set_device_dirty();
    EXPECT_EQ(halide_copy_to_host(nullptr, &buffer_), 0);
    return elements_;
  }

 private:
  std::vector<T> elements_;
  halide_dimension_t axis_;
  halide_buffer_t buffer_{};
};

inline layer_values explicit_values(double masked_out_value) {
  layer_values values{&layer_type_of<explicit_mask>, masked_value(masked_out_value), {}};
  for (std::size_t index = 0; index < values.type->attributes.size(); ++index) {
    values.attributes[index].name = values.type->attributes[index].default_name;
  }
  return values;
}

}  // namespace axismask::test
