// Arrays of NumPy, torch, JAX, CuPy and of whatever else has a buffer or __dlpack__, as the library's views: no copies.
#pragma once

#include <axismask.h>

#include <array>
#include <cstdint>
#include <deque>
#include <string_view>
#include <vector>

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

// A view of an array, which stays where it is and lives as long.
class view {
 public:
  // Without names the array has none. Throws axismask.Error when it is no array, or one of another rank.
  view(PyObject* array, const axis_names& names, std::string_view argument);
  // Of a pair, (array, axes).
  static bool is_pair(PyObject* given);
  view(const view&) = delete;
  view& operator=(const view&) = delete;
  ~view();

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
  bool has_buffer_ = false;
  Py_buffer buffer_;
  std::array<std::int64_t, AXISMASK_MAX_AXES> shape_;
  std::array<std::int64_t, AXISMASK_MAX_AXES> strides_;
};

// The side inputs of a call: a dict of each name's (array, axes), or array where its axis is known.
class side_inputs {
 public:
  side_inputs(PyObject* layer, PyObject* inputs);
  [[nodiscard]] const axismask_input* data() const { return given_.data(); }
  [[nodiscard]] std::size_t size() const { return given_.size(); }

 private:
  std::deque<view> views_;
  std::vector<axismask_input> given_;
};

}  // namespace axismask::python
