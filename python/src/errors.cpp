// axismask.Error, of what the library refuses and of what the module itself does.
#include "errors.hpp"

namespace axismask::python {
namespace {

object text(std::string_view it) {
  return object::take(PyUnicode_DecodeUTF8(it.data(), static_cast<Py_ssize_t>(it.size()), "replace"));
}

}  // namespace

void refuse(std::string_view id, std::string_view where, std::string_view what, std::string_view cure) {
  const object module = object::take(PyImport_ImportModule("axismask._errors"));
  const object type = object::take(PyObject_GetAttrString(module.get(), "Error"));
  const object raised = object::take(PyObject_CallFunctionObjArgs(type.get(), text(id).get(), text(where).get(),
                                                                  text(what).get(), text(cure).get(), nullptr));
  PyErr_SetObject(type.get(), raised.get());
  throw error_is_set();
}

void check(axismask_status status) {
  if (status == AXISMASK_OK) return;
  const axismask_error& its = *axismask_last_error();
  refuse(its.id, its.where, its.what, its.cure);
}

std::string type_name(PyObject* it) {
  const object name = object::take(PyType_GetName(Py_TYPE(it)));
  return std::string(text_of(name.get(), "type"));
}

std::string_view text_of(PyObject* text, std::string_view argument) {
  if (!PyUnicode_Check(text)) refuse("argument-type", argument, "it is a " + type_name(text), "give a str");
  Py_ssize_t size = 0;
  const char* const its = PyUnicode_AsUTF8AndSize(text, &size);
  if (its == nullptr) throw error_is_set();
  return {its, static_cast<std::size_t>(size)};
}

}  // namespace axismask::python
