// axismask.Error, of what the library refuses and of what the module itself does.
#pragma once

#include <axismask.h>

#include <string>
#include <string_view>

#include "python.hpp"

namespace axismask::python {

// Throws axismask.Error with these parts.
[[noreturn]] void refuse(std::string_view id, std::string_view where, std::string_view what, std::string_view cure);

// Throws axismask.Error when the status is not AXISMASK_OK, with the parts of the thread's last error.
void check(axismask_status status);

// Calls a function of the library while other threads of Python run, and throws as check.
template <class Act>
void call(Act act) {
  axismask_status status = AXISMASK_INTERNAL;
  {
    const without_gil others;
    status = act();
  }
  if (status != AXISMASK_OK) check(status);
}

// Returns the text of an argument. Throws axismask.Error when it is no str.
std::string_view text_of(PyObject* text, std::string_view argument);

// Returns the name of an object's type.
std::string type_name(PyObject* it);

}  // namespace axismask::python
