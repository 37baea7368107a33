// An array whose axes are known at run time.
#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <limits>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "axismask/arrays/axis_numbers.hpp"
#include "axismask/arrays/dtype.hpp"
#include "axismask/messages/error.hpp"

namespace axismask {

// One axis of an array at run time. The stride counts elements, may be 0 (the axis repeats one element) and may be
// negative. A view whose axes are given without strides is in C order.
struct named_axis {
  static constexpr std::int64_t no_stride = std::numeric_limits<std::int64_t>::min();

  std::string_view name;
  std::int64_t size = 0;
  std::int64_t stride = no_stride;

  constexpr named_axis() = default;
  // Sizes and strides are integers of any type, as those of containers are.
  constexpr named_axis(std::string_view its_name, axis_number auto its_size)
      : name(its_name), size(static_cast<std::int64_t>(its_size)) {}
  constexpr named_axis(std::string_view its_name, axis_number auto its_size, axis_number auto its_stride)
      : name(its_name), size(static_cast<std::int64_t>(its_size)), stride(static_cast<std::int64_t>(its_stride)) {}
};

namespace detail {

// Up to `Most` axes, of which only those that are there are set and copied: a call makes views of a few axes each, and
// to set sixteen takes longer than to check them.
template <std::size_t Most>
class axis_storage {
 public:
  axis_storage() {}  // NOLINT(modernize-use-equals-default): a union's member is not set
  axis_storage(const axis_storage& other) { *this = other; }
  axis_storage& operator=(const axis_storage& other) {
    size_ = other.size_;
    std::uninitialized_copy_n(other.all_, size_, all_);
    return *this;
  }
  ~axis_storage() = default;

  void take(std::span<const named_axis> axes) {
    size_ = axes.size();
    std::uninitialized_copy_n(axes.data(), size_, all_);
  }
  [[nodiscard]] std::span<named_axis> axes() { return {all_, size_}; }
  [[nodiscard]] std::span<const named_axis> axes() const { return {all_, size_}; }

 private:
  std::size_t size_ = 0;
  union {
    named_axis all_[Most];
  };
};

}  // namespace detail

template <class T>
concept memory_pointer = std::convertible_to<T, const void*>;

// An array whose axes are known at run time: a pointer to its first element, its dtype and its axes, outermost first.
// It owns neither the memory nor the names. A call writes its result to no view that was made of a pointer to const.
class any_view {
 public:
  static constexpr std::size_t max_rank = 16;

  any_view() = default;

  // Views an array with these axes: each with its stride, or none, and then the array is in C order. Throws
  // error[array-rank] for more than `max_rank` of them, and error[array-strides] where only some have a stride.
  template <memory_pointer Pointer>
  any_view(Pointer data, dtype type, std::span<const named_axis> axes) : any_view(memory_of(data), type) {
    take(axes);
    std::size_t without_stride = 0;
    for (const named_axis& axis : axes) without_stride += axis.stride == named_axis::no_stride ? 1U : 0U;
    if (without_stride == 0) return;
    if (without_stride < axes.size()) refuse_some_strides();
    make_dense();
  }
  template <memory_pointer Pointer>
  any_view(Pointer data, dtype type, std::initializer_list<named_axis> axes)
      : any_view(data, type, std::span(axes.begin(), axes.size())) {}

  // Views a dense array in C order: the last axis is contiguous. The strides in `axes` are ignored, for axes that are
  // another array's. Throws error[array-rank].
  template <memory_pointer Pointer>
  [[nodiscard]] static any_view dense(Pointer data, dtype type, std::span<const named_axis> axes) {
    any_view view(memory_of(data), type);
    view.take(axes);
    view.make_dense();
    return view;
  }

  // Gives the view of the same array whose memory is a device's: `data` is then not an address but the device's handle,
  // for CUDA the CUdeviceptr of the first element, for OpenCL a cl_mem, at whose start the array starts.
  [[nodiscard]] any_view in_device_memory() const {
    any_view view = *this;
    view.in_device_memory_ = true;
    return view;
  }

  [[nodiscard]] void* data() const { return memory_.data; }
  // Was it made of a pointer to const? Its memory is then only read, though the type of `data` does not say so.
  [[nodiscard]] bool is_const() const { return memory_.is_const; }
  [[nodiscard]] bool is_in_device_memory() const { return in_device_memory_; }
  [[nodiscard]] dtype type() const { return type_; }
  [[nodiscard]] std::span<const named_axis> axes() const { return axes_.axes(); }

  [[nodiscard]] std::int64_t element_count() const {
    std::int64_t count = 1;
    for (const named_axis& axis : axes()) count *= axis.size;
    return count;
  }

 private:
  struct memory {
    void* data = nullptr;
    bool is_const = false;
  };
  template <memory_pointer Pointer>
  static memory memory_of(Pointer data) {
    return {const_cast<void*>(static_cast<const void*>(data)), !std::convertible_to<Pointer, void*>};
  }

  any_view(memory its_memory, dtype type) : memory_(its_memory), type_(type) {}

  void take(std::span<const named_axis> axes) {
    if (axes.size() > max_rank) {
      throw error(
          "array-rank", "array",
          "it has " + std::to_string(axes.size()) + " axes, and at most " + std::to_string(max_rank) + " are possible",
          "fold axes that lie next to each other in memory into one");
    }
    axes_.take(axes);
  }

  void make_dense() {
    std::int64_t stride = 1;
    const std::span<named_axis> all = axes_.axes();
    for (std::size_t axis = all.size(); axis-- > 0;) {
      all[axis].stride = stride;
      stride *= all[axis].size;
    }
  }

  [[noreturn]] void refuse_some_strides() const {
    const named_axis* axis = axes().data();
    while (axis->stride != named_axis::no_stride) ++axis;
    throw error("array-strides", "array",
                "its axis \"" + std::string(axis->name) + "\" has no stride, and another axis has one",
                "give each axis a stride, or none for an array in C order");
  }

  memory memory_;
  dtype type_ = dtype::float32;
  bool in_device_memory_ = false;
  detail::axis_storage<max_rank> axes_;
};

}  // namespace axismask
