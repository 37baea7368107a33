// What a tensor of DLPack 1.x looks like in memory. Debian's <dlpack/dlpack.h> is older than the versioned tensors; the
// layout is what DLPack keeps stable within a major version, and a test holds these against NumPy's tensors.
#pragma once

#include <cstdint>

namespace axismask::c_api::dlpack {

enum class device_type : std::int32_t { cpu = 1, cuda = 2, cuda_host = 3, opencl = 4, cuda_managed = 13 };
enum class type_code : std::uint8_t { integer = 0, natural = 1, real = 2, bfloat = 4, boolean = 6 };

struct tensor {
  void* data;
  device_type device;
  std::int32_t device_id;
  std::int32_t ndim;
  type_code code;
  std::uint8_t bits;
  std::uint16_t lanes;
  std::int64_t* shape;
  std::int64_t* strides;
  std::uint64_t byte_offset;
};

inline constexpr std::uint32_t major_version = 1;
inline constexpr std::uint32_t minor_version = 0;
inline constexpr std::uint64_t read_only_flag = 1;

}  // namespace axismask::c_api::dlpack

struct DLManagedTensorVersioned {
  std::uint32_t major_version;
  std::uint32_t minor_version;
  void* manager_ctx;
  void (*deleter)(DLManagedTensorVersioned* self);
  std::uint64_t flags;
  axismask::c_api::dlpack::tensor tensor;
};
