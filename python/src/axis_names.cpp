// The names of axes, which are read once for each text or tuple and then kept.
#include <memory>
#include <string>
#include <vector>

#include "arrays.hpp"
#include "errors.hpp"

namespace axismask::python {
namespace {

struct names {
  std::vector<std::string> texts;
  std::vector<const char*> pointers;
};

constexpr const char* capsule_name = "axismask.axes";
constexpr Py_ssize_t most_kept = 4096;

object capsule_of(std::unique_ptr<names> made) {
  for (const std::string& text : made->texts) made->pointers.push_back(text.c_str());
  return owning_capsule(std::move(made), capsule_name);
}

object read_text(std::string_view text) {
  auto made = std::make_unique<names>();
  constexpr std::string_view space = " \t\n,";
  for (std::size_t at = text.find_first_not_of(space); at != std::string_view::npos;) {
    const std::size_t end = text.find_first_of(space, at);
    made->texts.emplace_back(text.substr(at, end == std::string_view::npos ? end : end - at));
    at = end == std::string_view::npos ? end : text.find_first_not_of(space, end);
  }
  return capsule_of(std::move(made));
}

object read_tuple(PyObject* axes, std::string_view argument) {
  auto made = std::make_unique<names>();
  for (Py_ssize_t at = 0; at < PyTuple_Size(axes); ++at) {
    made->texts.emplace_back(text_of(PyTuple_GetItem(axes, at), argument));
  }
  return capsule_of(std::move(made));
}

}  // namespace

axis_names::axis_names(PyObject* axes, std::string_view argument) {
  object key = object::share(axes);
  if (PyList_Check(axes)) {
    key = object::take(PyList_AsTuple(axes));
  } else if (!PyUnicode_Check(axes) && !PyTuple_Check(axes)) {
    refuse("argument-type", argument, "its axes are a " + type_name(axes),
           "give their names as one str, \"heads seq kv_seq\", or as a tuple of str");
  }
  static PyObject* const kept = object::take(PyDict_New()).release();
  PyObject* found = PyDict_GetItemWithError(kept, key.get());
  if (found == nullptr) {
    if (PyErr_Occurred() != nullptr) PyErr_Clear();  // a tuple of what has no hash: read_tuple says so
    kept_ = PyUnicode_Check(key.get()) ? read_text(text_of(key.get(), argument)) : read_tuple(key.get(), argument);
    if (PyDict_Size(kept) >= most_kept) PyDict_Clear(kept);
    must(PyDict_SetItem(kept, key.get(), kept_.get()));
    found = kept_.get();
  } else {
    kept_ = object::share(found);
  }
  const auto& its = *static_cast<const names*>(PyCapsule_GetPointer(found, capsule_name));
  count_ = static_cast<int>(its.pointers.size());
  pointers_ = its.pointers.data();
}

}  // namespace axismask::python
