// CPython's stable interface, 3.11's, so that one module serves that version and every later one; and what keeps its
// references and errors in order in C++.
#pragma once

#define PY_SSIZE_T_CLEAN
#ifndef Py_LIMITED_API  // CMake's USE_SABI says it, too
#define Py_LIMITED_API 0x030B0000
#endif
#include <Python.h>

#include <memory>
#include <new>
#include <utility>

namespace axismask::python {

// Thrown where Python's own error is set.
struct error_is_set {};

// A reference that is given back at the end. No reference, or one.
class object {
 public:
  object() = default;
  object(const object& other) : it_(other.it_) { Py_XINCREF(it_); }
  object(object&& other) noexcept : it_(std::exchange(other.it_, nullptr)) {}
  object& operator=(object other) noexcept {
    std::swap(it_, other.it_);
    return *this;
  }
  ~object() { Py_XDECREF(it_); }

  // Takes a new reference, as most functions of Python give it. Throws when it is NULL, which is Python's error.
  static object take(PyObject* made) {
    if (made == nullptr) throw error_is_set();
    return object(made);
  }
  // Adds a reference to one that another has.
  static object share(PyObject* borrowed) {
    if (borrowed == nullptr) throw error_is_set();
    Py_INCREF(borrowed);
    return object(borrowed);
  }

  [[nodiscard]] PyObject* get() const { return it_; }
  // Gives the reference away.
  [[nodiscard]] PyObject* release() { return std::exchange(it_, nullptr); }
  explicit operator bool() const { return it_ != nullptr; }

 private:
  explicit object(PyObject* it) : it_(it) {}
  PyObject* it_ = nullptr;
};

// Throws when a function of Python gave -1.
inline void must(int result) {
  if (result < 0) throw error_is_set();
}

inline object none() { return object::share(Py_None); }

// Lets Python's other threads run while it is there.
class without_gil {
 public:
  without_gil() : state_(PyEval_SaveThread()) {}
  without_gil(const without_gil&) = delete;
  without_gil& operator=(const without_gil&) = delete;
  ~without_gil() { PyEval_RestoreThread(state_); }

 private:
  PyThreadState* state_;
};

// Returns a capsule that owns what it holds. `name` is a constant.
template <class T>
object owning_capsule(std::unique_ptr<T> made, const char* name) {
  T* const its = made.release();
  PyObject* const capsule = PyCapsule_New(its, name, [](PyObject* ended) {
    delete static_cast<T*>(PyCapsule_GetPointer(ended, PyCapsule_GetName(ended)));
  });
  if (capsule == nullptr) delete its;
  return object::take(capsule);
}

// Runs act(), which gives an object, for a function that Python calls.
template <class Act>
PyObject* guarded(Act act) noexcept {
  try {
    return object(act()).release();
  } catch (const error_is_set&) {
    return nullptr;
  } catch (const std::bad_alloc&) {
    return PyErr_NoMemory();
  }
}

}  // namespace axismask::python
