// What C gives to a function, read and checked: texts, arrays, side inputs, options.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "axismask.h"
#include "axismask/call/call.hpp"
#include "axismask/messages/error.hpp"

namespace axismask::c_api {

// "logits.axes[1]": a place that is made a text only when it is needed.
struct place {
  std::string_view argument;
  std::string_view member = {};
  std::int64_t index = -1;

  [[nodiscard]] std::string text() const;
};

// The longest text for a name, and for a path.
inline constexpr std::size_t longest_name = 255;
inline constexpr std::size_t longest_path = 4095;

[[noreturn]] void refuse_null(const place& where, std::string_view cure);

// Throws c-null unless there is something at the pointer.
template <class T>
T& there(T* pointer, std::string_view where) {
  if (pointer == nullptr) refuse_null({where}, "give a pointer to memory that can be written");
  return *pointer;
}
// The same for something that is to be read.
template <class T>
const T& given(const T* pointer, std::string_view where) {
  if (pointer == nullptr) refuse_null({where}, "give a pointer to what is to be read");
  return *pointer;
}

// Throws c-null for NULL, and c-text for a text without an end in reach.
[[nodiscard]] std::string_view text_of(const char* text, const place& where, std::size_t longest = longest_name);

// Throws c-option for a number that is none of 0 to `last`.
void check_choice(std::int64_t number, std::int64_t last, std::string_view where, std::string_view type);

// Throws c-struct where a caller was compiled with options of another size.
void check_struct(std::size_t given_size, std::size_t size, std::string_view where, std::string_view type);

// The dtype of layers' arrays. Throws c-dtype.
[[nodiscard]] dtype layer_dtype(std::int32_t type, std::string_view where);

// The axes of an array or of bits, checked: no number of them that cannot be, no negative size, no array that is larger
// than addresses are. `strides` may be NULL, and `names` too where they are not asked for.
struct given_axes {
  std::string_view where;
  std::int32_t ndim;
  const std::int64_t* shape;
  const std::int64_t* strides;
  const char* const* names;
};
// The axes that were read. Only as much of it is filled as there are: a small call has few, and they cost.
class read_axes {
 public:
  read_axes(const given_axes& given, std::int64_t element_bytes);
  read_axes(const read_axes&) = delete;
  read_axes& operator=(const read_axes&) = delete;

  [[nodiscard]] std::span<const named_axis> all() const {
    return {reinterpret_cast<const named_axis*>(memory_.data()), count_};
  }

 private:
  alignas(named_axis) std::array<std::byte, sizeof(named_axis) * any_view::max_rank> memory_;
  std::size_t count_ = 0;
};

// Views an array. Throws c-null, c-dtype, c-device, c-size, c-text, array-rank, axis-size.
[[nodiscard]] any_view view_of(const axismask_array* array, std::string_view where);

// The side inputs of a call. They lie in the object, of which only as much is filled as there are.
class given_inputs {
 public:
  given_inputs(const axismask_input* inputs, std::size_t count);
  given_inputs(const given_inputs&) = delete;
  given_inputs& operator=(const given_inputs&) = delete;

  [[nodiscard]] std::span<const side_input> all() const {
    return {reinterpret_cast<const side_input*>(memory_.data()), count_};
  }
  // The device on which one of them is; AXISMASK_HOST when all are in the host's memory.
  [[nodiscard]] std::int32_t device() const { return device_; }

 private:
  alignas(side_input) std::array<std::byte, sizeof(side_input) * AXISMASK_MAX_INPUTS> memory_;
  std::size_t count_ = 0;
  std::int32_t device_ = AXISMASK_HOST;
};

// The options of a call, whose arrays are on a device or, with AXISMASK_HOST, on none.
[[nodiscard]] call_options options_of(const axismask_call_options* options, std::int32_t device);
// Of two devices that arrays of a call are on, the one; throws c-device where they differ.
[[nodiscard]] std::int32_t one_device(std::int32_t first, std::int32_t second, std::string_view where);

// Throws c-index unless the index is below the number of all.
void check_index(std::size_t index, std::size_t count, std::string_view one);

// Copies a text and its end to the caller's memory. Throws c-size.
void give_text(std::string_view text, char* memory, std::size_t capacity, std::size_t* bytes);

}  // namespace axismask::c_api
