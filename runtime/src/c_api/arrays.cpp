// Arrays that the library owns: those of forms, and memory that was asked for.
#include <algorithm>
#include <array>
#include <cstring>
#include <memory>
#include <new>
#include <string>
#include <utility>

#include "axismask/messages/text.hpp"
#include "c_api/given.hpp"
#include "c_api/objects.hpp"
#include "c_api/status.hpp"

namespace axismask::c_api {

const std::shared_ptr<owned_array>& arrays_object::named(std::string_view name) const {
  std::vector<std::string_view> names;
  for (const auto& array : arrays) {
    if (array->name == name) return array;
    names.emplace_back(array->name);
  }
  throw error("form-array", "name", "there is no array \"" + std::string(name) + "\"" + did_you_mean(name, names).str(),
              "there are " + quoted_list(names).str());
}

std::int64_t bytes_of(std::int32_t type, std::string_view where) {
  switch (type) {
    case AXISMASK_INT8:
    case AXISMASK_UINT8:
      return 1;
    case AXISMASK_INT16:
      return 2;
    default:
      return info(layer_dtype(type, where)).bytes;
  }
}

namespace {

constexpr std::size_t memory_alignment = 64;

template <class Element>
constexpr std::int32_t type_of_elements = AXISMASK_BOOL;
template <>
constexpr std::int32_t type_of_elements<std::int8_t> = AXISMASK_INT8;
template <>
constexpr std::int32_t type_of_elements<std::int16_t> = AXISMASK_INT16;
template <>
constexpr std::int32_t type_of_elements<std::int32_t> = AXISMASK_INT32;
template <>
constexpr std::int32_t type_of_elements<std::int64_t> = AXISMASK_INT64;
template <>
constexpr std::int32_t type_of_elements<std::uint8_t> = AXISMASK_UINT8;

std::shared_ptr<owned_array> own(plan_array made) {
  auto array = std::make_shared<owned_array>();
  array->name = std::move(made.name);
  array->shape = std::move(made.sizes);
  auto& elements = array->elements.emplace<plan_elements>(std::move(made.elements));
  std::visit(
      [&](auto& vector) {
        array->dtype = type_of_elements<typename std::remove_reference_t<decltype(vector)>::value_type>;
        array->data = vector.data();
      },
      elements);
  return array;
}

std::shared_ptr<void> zeros(std::size_t bytes) {
  const std::size_t size = std::max(bytes, std::size_t{1});
  void* const memory = ::operator new(size, std::align_val_t(memory_alignment));
  std::memset(memory, 0, size);
  return {memory, [](void* end) { ::operator delete(end, std::align_val_t(memory_alignment)); }};
}

// An array without names gets these, so that its sizes are checked as all are.
constexpr std::array<const char*, AXISMASK_MAX_AXES> no_names = [] {
  std::array<const char*, AXISMASK_MAX_AXES> names{};
  names.fill("");
  return names;
}();

axismask_array view_of_owned(owned_array& array) {
  axismask_array view{};
  view.data = array.data;
  view.dtype = array.dtype;
  view.ndim = static_cast<std::int32_t>(array.shape.size());
  view.read_only = array.read_only ? 1 : 0;
  view.shape = array.shape.data();
  view.axes = array.axes.empty() ? nullptr : array.axes.data();
  return view;
}

std::size_t bytes_in(const owned_array& array) {
  std::int64_t count = bytes_of(array.dtype, "arrays");
  for (const std::int64_t size : array.shape) count *= size;
  return static_cast<std::size_t>(count);
}

}  // namespace

axismask_arrays* give_arrays(plan_arrays made) {
  auto arrays = std::make_unique<arrays_object>();
  for (plan_array& array : made.arrays) arrays->arrays.push_back(own(std::move(array)));
  return give(std::move(arrays));
}

namespace {

std::unique_ptr<arrays_object> new_array(const char* name, const axismask_array& wanted) {
  auto array = std::make_shared<owned_array>();
  array->name = text_of(name, {"name"});
  array->dtype = wanted.dtype;
  array->read_only = false;
  const std::int64_t bytes = bytes_of(wanted.dtype, "arrays");
  const bool has_names = wanted.axes != nullptr;
  const read_axes axes({"arrays", wanted.ndim, wanted.shape, nullptr, has_names ? wanted.axes : no_names.data()},
                       bytes);
  for (const named_axis& axis : axes.all()) {
    array->shape.push_back(axis.size);
    if (has_names) array->axis_names.emplace_back(axis.name);
  }
  for (const std::string& axis : array->axis_names) array->axes.push_back(axis.c_str());
  array->data = array->elements.emplace<std::shared_ptr<void>>(zeros(bytes_in(*array))).get();
  auto made = std::make_unique<arrays_object>();
  made->arrays.push_back(std::move(array));
  return made;
}

}  // namespace
}  // namespace axismask::c_api

using namespace axismask::c_api;

axismask_status axismask_arrays_new(const char* name, std::int32_t dtype, std::int32_t ndim, const std::int64_t* shape,
                                    const char* const* axes, axismask_arrays** arrays) {
  return guarded([&] {
    there(arrays, "arrays") = nullptr;
    *arrays = give(new_array(name, {nullptr, dtype, AXISMASK_HOST, ndim, 0, shape, nullptr, axes}));
  });
}

axismask_status axismask_arrays_count(const axismask_arrays* arrays, std::size_t* count) {
  return guarded([&] { there(count, "count") = object_of<arrays_object>(arrays, "arrays").arrays.size(); });
}

axismask_status axismask_arrays_at(const axismask_arrays* arrays, std::size_t index, const char** name,
                                   axismask_array* view) {
  return guarded([&] {
    const auto& all = object_of<arrays_object>(arrays, "arrays").arrays;
    check_index(index, all.size(), "array");
    if (name != nullptr) *name = all[index]->name.c_str();
    if (view != nullptr) *view = view_of_owned(*all[index]);
  });
}

axismask_status axismask_arrays_get(const axismask_arrays* arrays, const char* name, axismask_array* view) {
  return guarded([&] {
    const arrays_object& its = object_of<arrays_object>(arrays, "arrays");
    there(view, "view") = view_of_owned(*its.named(text_of(name, {"name"})));
  });
}

axismask_status axismask_arrays_copy(const axismask_arrays* arrays, const char* name, void* memory, std::size_t bytes) {
  return guarded([&] {
    const owned_array& array = *object_of<arrays_object>(arrays, "arrays").named(text_of(name, {"name"}));
    const std::size_t needed = bytes_in(array);
    if (bytes != needed) {
      throw axismask::error("c-size", "bytes",
                            "the array \"" + array.name + "\" has " + std::to_string(needed) +
                                " bytes, and the memory " + std::to_string(bytes),
                            "give memory for all of it, by the shape and dtype of axismask_arrays_get");
    }
    if (bytes == 0) return;
    if (memory == nullptr) refuse_null({"memory"}, "give memory for the array");
    std::memcpy(memory, array.data, bytes);
  });
}

axismask_status axismask_arrays_free(axismask_arrays* arrays) {
  return guarded([&] { free_object<arrays_object>(arrays, "arrays"); });
}
