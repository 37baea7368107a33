// The arguments of the module's functions, which the Python of the package calls by position.
#pragma once

#include <axismask.h>

#include <cstdint>
#include <string>
#include <string_view>

#include "errors.hpp"
#include "python.hpp"

namespace axismask::python {

class arguments {
 public:
  // Throws TypeError when there are not `count`.
  arguments(PyObject* const* given, Py_ssize_t number, Py_ssize_t count) : given_(given) {
    if (number == count) return;
    PyErr_Format(PyExc_TypeError, "it takes %zd arguments, and %zd were given", count, number);
    throw error_is_set();
  }
  PyObject* operator[](std::size_t at) const { return given_[at]; }

 private:
  PyObject* const* given_;
};

// A whole number. Throws axismask.Error when it is none, or does not fit 64 bits.
inline std::int64_t integer_of(PyObject* given, std::string_view argument) {
  const long long number = PyLong_AsLongLong(given);
  if (number != -1 || PyErr_Occurred() == nullptr) return number;
  PyErr_Clear();
  refuse("argument-type", argument, "it is a " + type_name(given), "give a whole number");
}

inline std::int32_t small_integer_of(PyObject* given, std::string_view argument) {
  const std::int64_t number = integer_of(given, argument);
  if (number == static_cast<std::int32_t>(number)) return static_cast<std::int32_t>(number);
  refuse("argument-type", argument, "it is " + std::to_string(number), "give a number of 32 bits");
}

inline double number_of(PyObject* given, std::string_view argument) {
  const double number = PyFloat_AsDouble(given);
  if (number != -1.0 || PyErr_Occurred() == nullptr) return number;
  PyErr_Clear();
  refuse("argument-type", argument, "it is a " + type_name(given), "give a number");
}

// A handle of the library that a capsule holds, and frees at its end.
template <class Handle>
struct handle_of;
template <>
struct handle_of<axismask_model> {
  static constexpr const char* name = "axismask.model";
  static void free(axismask_model* it) { axismask_model_free(it); }
};
template <>
struct handle_of<axismask_plan> {
  static constexpr const char* name = "axismask.plan";
  static void free(axismask_plan* it) { axismask_plan_free(it); }
};

template <class Handle>
object capsule_of(Handle* made) {
  PyObject* const capsule = PyCapsule_New(made, handle_of<Handle>::name, [](PyObject* ended) {
    handle_of<Handle>::free(static_cast<Handle*>(PyCapsule_GetPointer(ended, handle_of<Handle>::name)));
  });
  if (capsule == nullptr) handle_of<Handle>::free(made);
  return object::take(capsule);
}

template <class Handle>
Handle* in_capsule(PyObject* capsule) {
  void* const its = PyCapsule_GetPointer(capsule, handle_of<Handle>::name);
  if (its == nullptr) throw error_is_set();
  return static_cast<Handle*>(its);
}

// The attribute `_handle` of an axismask.Layer, Plan or Model.
inline object handle_attribute(PyObject* it) {
  static PyObject* const name = object::take(PyUnicode_InternFromString("_handle")).release();
  return object::take(PyObject_GetAttr(it, name));
}

// Functions of a room, for the module's table.
using function = PyObject* (*)(PyObject*, PyObject* const*, Py_ssize_t);
inline PyMethodDef method(const char* name, function its) {
  return {name, reinterpret_cast<PyCFunction>(reinterpret_cast<void (*)()>(its)), METH_FASTCALL, nullptr};
}

}  // namespace axismask::python
