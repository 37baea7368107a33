// axismask._native: the library of axismask.h as functions of Python. JAX's handlers are in the same shared object, as
// functions of C.
#include "module.hpp"

#include <array>

#include "arguments.hpp"

namespace axismask::python {
namespace {

std::array functions{method("version", version),
                     method("load", load),
                     method("parse", parse),
                     method("import_config", import_config),
                     method("load_layers", load_layers),
                     method("layers", layers),
                     method("find_layer", find_layer),
                     method("to_json", to_json),
                     method("handle", handle),
                     method("apply", apply),
                     method("apply_in_place", apply_in_place),
                     method("mask", mask),
                     method("attend", attend),
                     method("describe_array", describe_array),
                     method("make_plan", make_plan),
                     method("plan_verdicts", plan_verdicts),
                     method("turn_lists", turn_lists),
                     method("plan_list", plan_list),
                     method("spans", spans),
                     method("form", form),
                     method("forms", forms),
                     method("consecutive", consecutive),
                     method("padded", padded),
                     method("packed", packed),
                     method("from_attention_mask", from_attention_mask),
                     method("from_position_ids", from_position_ids),
                     method("from_cu_seqlens", from_cu_seqlens),
                     method("ring_capacity", ring_capacity),
                     method("ring_make", ring_make),
                     method("ring_tokens", ring_tokens),
                     method("ring_append", ring_append),
                     method("ring_trim", ring_trim),
                     PyMethodDef{nullptr, nullptr, 0, nullptr}};

PyModuleDef definition{
    PyModuleDef_HEAD_INIT, "axismask._native", nullptr, 0, functions.data(), nullptr, nullptr, nullptr, nullptr};

}  // namespace
}  // namespace axismask::python

PyMODINIT_FUNC PyInit__native() {
  return axismask::python::guarded([] {
    axismask::python::object made = axismask::python::object::take(PyModule_Create(&axismask::python::definition));
    axismask::python::check(axismask_check_version(AXISMASK_VERSION));
    return made;
  });
}
