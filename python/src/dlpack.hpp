// What tensors of DLPack 1 look like, as far as they are looked into here; and the functions by which a library hands
// out tensors without a capsule, which DLPack has since 1.2 (torch: torch.Tensor.__dlpack_c_exchange_api__).
#pragma once

#include <cstdint>

namespace axismask::python::dlpack {

enum class device_type : std::int32_t { cpu = 1, cuda = 2, cuda_host = 3, cuda_managed = 13 };

inline constexpr std::uint8_t real = 2;  // type codes
inline constexpr std::uint8_t bfloat = 4;

struct tensor {  // DLTensor
  void* data;
  device_type device;
  std::int32_t device_id;
  std::int32_t ndim;
  std::uint8_t code;
  std::uint8_t bits;
  std::uint16_t lanes;
  std::int64_t* shape;
  std::int64_t* strides;
  std::uint64_t byte_offset;
};

struct managed_tensor {  // DLManagedTensorVersioned
  std::uint32_t major_version;
  std::uint32_t minor_version;
  void* manager_ctx;
  void (*deleter)(managed_tensor* self);
  std::uint64_t flags;
  tensor its;
};

struct exchange {  // DLPackExchangeAPI
  std::uint32_t major_version;
  std::uint32_t minor_version;
  exchange* previous;
  void* allocate;
  void* managed_tensor_of;
  void* object_of;
  int (*tensor_of)(void* object, tensor* out);  // what it gives is there as long as the object; -1: Python's error
  void* current_stream;
};

}  // namespace axismask::python::dlpack
