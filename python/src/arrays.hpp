// Arrays of NumPy, torch, JAX, CuPy and of whatever else has a buffer or __dlpack__, as the library's views: no copies.
#pragma once

#include <axismask.h>

#include <array>
#include <cstdint>
#include <list>
#include <optional>
#include <string_view>

#include "python.hpp"

namespace axismask::python {

// The names of an array's axes: "heads seq kv_seq", or a sequence of str. They are read once and kept.
class axis_names {
 public:
  axis_names() = default;
  // Throws axismask.Error when `axes` is neither.
  axis_names(PyObject* axes, std::string_view argument);
  [[nodiscard]] int count() const { return count_; }
  [[nodiscard]] const char* const* pointers() const { return pointers_; }

 private:
  object kept_;
  int count_ = -1;  // no names
  const char* const* pointers_ = nullptr;
};

// A buffer of Python's, if it is held: a view whose constructor throws gives it back, too.
struct held_buffer {
  held_buffer() = default;
  held_buffer(const held_buffer&) = delete;
  held_buffer& operator=(const held_buffer&) = delete;
  ~held_buffer() {
    if (held) PyBuffer_Release(&its);
  }
  // Returns whether the object gave it; else Python's error is set.
  bool take(PyObject* of) {
    held = PyObject_GetBuffer(of, &its, PyBUF_RECORDS_RO) == 0;
    return held;
  }

  Py_buffer its;
  bool held = false;
};

// A view of an array, which stays where it is and lives as long.
class view {
 public:
  // Without names the array has none. Throws axismask.Error when it is no array, or one of another rank.
  view(PyObject* array, const axis_names& names, std::string_view argument);
  // Of a pair, (array, axes).
  static bool is_pair(PyObject* given);
  view(const view&) = delete;
  view& operator=(const view&) = delete;

  [[nodiscard]] const axismask_array& its() const { return its_; }

 private:
  bool of_exchange(PyObject* array, std::string_view argument);
  bool of_buffer(PyObject* array, std::string_view argument);
  void of_bfloat16(PyObject* array, std::string_view argument);
  void of_capsule(PyObject* array, std::string_view argument);
  void take_buffer(std::string_view argument);

  axis_names names_;
  axismask_array its_{};
  object kept_;
  held_buffer buffer_;
  std::array<std::int64_t, AXISMASK_MAX_AXES> shape_;
  std::array<std::int64_t, AXISMASK_MAX_AXES> strides_;
};

// The side inputs of a call: a dict of each name's (array, axes), or array where its axis is known.
class side_inputs {
 public:
  side_inputs(PyObject* layer, PyObject* inputs);
  [[nodiscard]] const axismask_input* data() const { return given_.data(); }
  [[nodiscard]] std::size_t size() const { return count_; }

 private:
  const view& add(PyObject* array, const axis_names& names, std::string_view argument);

  // Most layers have one or two: those need no memory.
  std::array<std::optional<view>, 2> first_;
  std::list<view> more_;
  std::array<axismask_input, AXISMASK_MAX_INPUTS> given_;
  std::size_t count_ = 0;
};

}  // namespace axismask::python
