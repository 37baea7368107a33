// The functions of axismask._native. They are private to the package, whose Python says what arguments mean.
#pragma once

#include <axismask.h>

#include "python.hpp"

namespace axismask::python {

// models.cpp
PyObject* version(PyObject*, PyObject* const*, Py_ssize_t);
PyObject* load(PyObject*, PyObject* const*, Py_ssize_t);
PyObject* parse(PyObject*, PyObject* const*, Py_ssize_t);
PyObject* import_config(PyObject*, PyObject* const*, Py_ssize_t);
PyObject* load_layers(PyObject*, PyObject* const*, Py_ssize_t);
PyObject* layers(PyObject*, PyObject* const*, Py_ssize_t);
PyObject* find_layer(PyObject*, PyObject* const*, Py_ssize_t);
PyObject* to_json(PyObject*, PyObject* const*, Py_ssize_t);
PyObject* handle(PyObject*, PyObject* const*, Py_ssize_t);

// calls.cpp
PyObject* apply(PyObject*, PyObject* const*, Py_ssize_t);
PyObject* apply_in_place(PyObject*, PyObject* const*, Py_ssize_t);
PyObject* mask(PyObject*, PyObject* const*, Py_ssize_t);
PyObject* attend(PyObject*, PyObject* const*, Py_ssize_t);
PyObject* describe_array(PyObject*, PyObject* const*, Py_ssize_t);

// plans.cpp
PyObject* make_plan(PyObject*, PyObject* const*, Py_ssize_t);
PyObject* plan_verdicts(PyObject*, PyObject* const*, Py_ssize_t);
PyObject* turn_lists(PyObject*, PyObject* const*, Py_ssize_t);
PyObject* plan_list(PyObject*, PyObject* const*, Py_ssize_t);
PyObject* spans(PyObject*, PyObject* const*, Py_ssize_t);
PyObject* form(PyObject*, PyObject* const*, Py_ssize_t);
PyObject* forms(PyObject*, PyObject* const*, Py_ssize_t);

// positions.cpp
PyObject* consecutive(PyObject*, PyObject* const*, Py_ssize_t);
PyObject* padded(PyObject*, PyObject* const*, Py_ssize_t);
PyObject* packed(PyObject*, PyObject* const*, Py_ssize_t);
PyObject* from_attention_mask(PyObject*, PyObject* const*, Py_ssize_t);
PyObject* from_position_ids(PyObject*, PyObject* const*, Py_ssize_t);
PyObject* from_cu_seqlens(PyObject*, PyObject* const*, Py_ssize_t);
PyObject* ring_capacity(PyObject*, PyObject* const*, Py_ssize_t);
PyObject* ring_make(PyObject*, PyObject* const*, Py_ssize_t);
PyObject* ring_tokens(PyObject*, PyObject* const*, Py_ssize_t);
PyObject* ring_append(PyObject*, PyObject* const*, Py_ssize_t);
PyObject* ring_trim(PyObject*, PyObject* const*, Py_ssize_t);

// The layer that an axismask.Layer is.
const axismask_layer* layer_of(PyObject* layer);

}  // namespace axismask::python
