// Tensors of DLPack as arrays, and arrays as tensors.
#include <algorithm>
#include <array>
#include <memory>
#include <string>
#include <utility>

#include "c_api/dlpack_types.hpp"
#include "c_api/given.hpp"
#include "c_api/objects.hpp"
#include "c_api/status.hpp"

namespace axismask::c_api {
namespace {

using dlpack::device_type;
using dlpack::type_code;

struct type_pair {
  std::int32_t type;
  type_code code;
  std::uint8_t bits;
};
constexpr std::array all_types{
    type_pair{AXISMASK_FLOAT16, type_code::real, 16},  type_pair{AXISMASK_BFLOAT16, type_code::bfloat, 16},
    type_pair{AXISMASK_FLOAT32, type_code::real, 32},  type_pair{AXISMASK_FLOAT64, type_code::real, 64},
    type_pair{AXISMASK_INT32, type_code::integer, 32}, type_pair{AXISMASK_INT64, type_code::integer, 64},
    type_pair{AXISMASK_BOOL, type_code::boolean, 8},   type_pair{AXISMASK_INT8, type_code::integer, 8},
    type_pair{AXISMASK_INT16, type_code::integer, 16}, type_pair{AXISMASK_UINT8, type_code::natural, 8}};

[[noreturn]] void refuse(std::string_view member, const std::string& what, const char* cure) {
  throw error("c-dlpack", place{"tensor", member}.text(), what, cure);
}

std::int32_t type_of(const dlpack::tensor& tensor) {
  if (tensor.lanes != 1) {
    refuse("dtype", "its elements are vectors of " + std::to_string(tensor.lanes), "give elements of one lane");
  }
  for (const type_pair& one : all_types) {
    if (one.code == tensor.code && one.bits == tensor.bits) return one.type;
  }
  refuse("dtype",
         "its elements have type code " + std::to_string(static_cast<int>(tensor.code)) + " and " +
             std::to_string(tensor.bits) + " bits",
         "give floats of 16, 32 or 64 bits, bfloat16, integers or bool");
}

// Memory that the host reads, too, is the host's; but managed memory lies where the device had it last.
std::int32_t device_of(const dlpack::tensor& tensor) {
  switch (tensor.device) {
    case device_type::cpu:
    case device_type::cuda_host:
      return AXISMASK_HOST;
    case device_type::cuda:
    case device_type::cuda_managed:
      return AXISMASK_CUDA;
    case device_type::opencl:
      if (tensor.byte_offset == 0) return AXISMASK_OPENCL;
      refuse("byte_offset", "it is " + std::to_string(tensor.byte_offset) + ", and OpenCL's memory has no addresses",
             "give a tensor that starts where its cl_mem does");
  }
  refuse("device", "its device type is " + std::to_string(static_cast<int>(tensor.device)),
         "give a tensor of the processor, CUDA or OpenCL");
}

axismask_array view_of_tensor(const dlpack::tensor& tensor, const char* const* axes, std::size_t axis_count) {
  axismask_array view{};
  view.dtype = type_of(tensor);
  view.device = device_of(tensor);
  view.ndim = tensor.ndim;
  if (tensor.ndim < 0 || static_cast<std::size_t>(tensor.ndim) != axis_count) {
    refuse("ndim", "it has " + std::to_string(tensor.ndim) + " axes, and " + std::to_string(axis_count) + " are named",
           "give a name for each axis");
  }
  if (tensor.ndim > 0 && tensor.shape == nullptr) refuse("shape", "it is NULL", "give a tensor with its sizes");
  view.shape = tensor.shape;
  view.strides = tensor.strides;
  view.axes = axes;
  view.data = tensor.data == nullptr ? nullptr : static_cast<std::byte*>(tensor.data) + tensor.byte_offset;
  return view;
}

// A tensor of ours, and what it keeps alive.
struct own_tensor {
  DLManagedTensorVersioned tensor;
  std::shared_ptr<owned_array> array;
  std::vector<std::int64_t> strides;  // older readers want them
};

DLManagedTensorVersioned* make_tensor(const std::shared_ptr<owned_array>& array) {
  auto made = std::make_unique<own_tensor>();
  made->array = array;
  made->strides.resize(array->shape.size());
  std::int64_t stride = 1;
  for (std::size_t axis = array->shape.size(); axis-- > 0;) {
    made->strides[axis] = stride;
    stride *= std::max<std::int64_t>(array->shape[axis], 1);
  }
  const auto type =
      std::find_if(all_types.begin(), all_types.end(), [&](const type_pair& one) { return one.type == array->dtype; });
  DLManagedTensorVersioned& tensor = made->tensor;
  tensor.major_version = dlpack::major_version;
  tensor.minor_version = dlpack::minor_version;
  tensor.manager_ctx = made.get();
  tensor.deleter = [](DLManagedTensorVersioned* self) {
    const std::unique_ptr<own_tensor> ended(static_cast<own_tensor*>(self->manager_ctx));
  };
  tensor.flags = array->read_only ? dlpack::read_only_flag : 0;
  tensor.tensor = {array->data,
                   device_type::cpu,
                   0,
                   static_cast<std::int32_t>(array->shape.size()),
                   type->code,
                   type->bits,
                   1,
                   array->shape.data(),
                   made->strides.data(),
                   0};
  return &made.release()->tensor;
}

}  // namespace
}  // namespace axismask::c_api

using namespace axismask::c_api;

axismask_status axismask_from_dltensor(const void* tensor, const char* const* axes, std::size_t axis_count,
                                       axismask_array* view) {
  return guarded([&] {
    const auto& its = given(static_cast<const dlpack::tensor*>(tensor), "tensor");
    there(view, "view") = view_of_tensor(its, axes, axis_count);
  });
}

axismask_status axismask_from_dlpack(const DLManagedTensorVersioned* tensor, const char* const* axes,
                                     std::size_t axis_count, axismask_array* view) {
  return guarded([&] {
    const DLManagedTensorVersioned& its = given(tensor, "tensor");
    if (its.major_version != dlpack::major_version) {
      refuse("version",
             "it is of DLPack " + std::to_string(its.major_version) + "." + std::to_string(its.minor_version),
             "give a tensor of DLPack 1");
    }
    axismask_array made = view_of_tensor(its.tensor, axes, axis_count);
    made.read_only = (its.flags & dlpack::read_only_flag) != 0 ? 1 : 0;
    there(view, "view") = made;
  });
}

axismask_status axismask_arrays_to_dlpack(const axismask_arrays* arrays, const char* name,
                                          DLManagedTensorVersioned** tensor) {
  return guarded([&] {
    there(tensor, "tensor") = nullptr;
    const arrays_object& its = object_of<arrays_object>(arrays, "arrays");
    *tensor = make_tensor(its.named(text_of(name, {"name"})));
  });
}
