// Arrays of Python's libraries as the library's views. NumPy's and JAX's come by their buffers, torch's by DLPack's
// functions, others, and those on devices, by __dlpack__.
#include "arrays.hpp"

#include <algorithm>
#include <string>
#include <unordered_map>

#include "dlpack.hpp"
#include "errors.hpp"

namespace axismask::python {
namespace {

std::int32_t integer_of(Py_ssize_t bytes) {
  switch (bytes) {
    case 1:
      return AXISMASK_INT8;
    case 2:
      return AXISMASK_INT16;
    case 4:
      return AXISMASK_INT32;
    default:
      return AXISMASK_INT64;
  }
}

// The dtype of a format of Python's struct module, one letter; 0 is none.
std::int32_t dtype_of(std::string_view format, Py_ssize_t bytes) {
  if (format.size() == 2 && (format[0] == '@' || format[0] == '=' || format[0] == '<')) format.remove_prefix(1);
  if (format.size() != 1) return 0;
  switch (format[0]) {
    case 'e':
      return AXISMASK_FLOAT16;
    case 'f':
      return AXISMASK_FLOAT32;
    case 'd':
      return AXISMASK_FLOAT64;
    case '?':
      return AXISMASK_BOOL;
    case 'B':
      return AXISMASK_UINT8;
    case 'b':
    case 'h':
    case 'i':
    case 'l':
    case 'q':
      return integer_of(bytes);
    default:
      return 0;
  }
}

object attribute(PyObject* it, const char* name) {
  PyObject* const found = PyObject_GetAttrString(it, name);
  if (found != nullptr) return object::take(found);
  PyErr_Clear();
  return {};
}

std::string text_of_error() {
  PyObject* type = nullptr;
  PyObject* value = nullptr;
  PyObject* trace = nullptr;
  PyErr_Fetch(&type, &value, &trace);
  const object kept_type = type == nullptr ? object() : object::take(type);
  const object kept = value == nullptr ? none() : object::take(value);
  const object kept_trace = trace == nullptr ? object() : object::take(trace);
  const object text = object::take(PyObject_Str(kept.get()));
  std::string its(text_of(text.get(), "error"));
  return its.substr(0, its.find('\n'));
}

// DLPack's functions of a type, or nullptr. Types of arrays are few, and kept.
const dlpack::exchange* exchange_of(PyTypeObject* type) {
  static auto* const known = new std::unordered_map<PyTypeObject*, const dlpack::exchange*>();
  const auto found = known->find(type);
  if (found != known->end()) return found->second;
  const dlpack::exchange* functions = nullptr;
  const object capsule = attribute(reinterpret_cast<PyObject*>(type), "__dlpack_c_exchange_api__");
  if (capsule && PyCapsule_IsValid(capsule.get(), "dlpack_exchange_api") != 0) {
    functions = static_cast<const dlpack::exchange*>(PyCapsule_GetPointer(capsule.get(), "dlpack_exchange_api"));
    if (functions->major_version != 1 || functions->tensor_of == nullptr) functions = nullptr;
  }
  Py_INCREF(reinterpret_cast<PyObject*>(type));
  (*known)[type] = functions;
  return functions;
}

[[noreturn]] void refuse_dtype(PyObject* array, std::string_view argument) {
  const object dtype = attribute(array, "dtype");
  const object text = object::take(PyObject_Str(dtype ? dtype.get() : array));
  refuse("array-dtype", argument, "its dtype is " + std::string(text_of(text.get(), argument)),
         "give float16, bfloat16, float32 or float64, int32 or int64 for positions and ids, or bool for masks");
}

// What memory alone does not say of torch's tensors: that a gradient goes through them, or that they stand for the
// negative of what is there.
void check_torch(PyObject* array, std::string_view argument) {
  const object wanted = attribute(array, "requires_grad");
  if (wanted.get() == Py_True) {
    refuse("array-gradient", argument, "it requires a gradient, which this call does not compute",
           "give its detach(), or call axismask.torch");
  }
  const object is_negative = attribute(array, "is_neg");
  if (!is_negative) return;
  const object negative = object::take(PyObject_CallNoArgs(is_negative.get()));
  if (negative.get() == Py_True) {
    refuse("array-memory", argument, "it is a view of the negative of its memory", "give its resolve_neg()");
  }
}

// JAX's arrays never change, which its tensors of DLPack do not say.
bool is_jax(PyObject* array) {
  const object module = attribute(reinterpret_cast<PyObject*>(Py_TYPE(array)), "__module__");
  return module && PyUnicode_Check(module.get()) && text_of(module.get(), "module").starts_with("jax");
}

// What the library says of a tensor, said of the argument.
void check_tensor(axismask_status status, std::string_view argument) {
  if (status == AXISMASK_OK) return;
  const axismask_error& its = *axismask_last_error();
  const std::string_view where = its.where;
  const bool of_tensor = where.starts_with("tensor");
  refuse(its.id, of_tensor ? std::string(argument).append(where.substr(6)) : std::string(where), its.what, its.cure);
}

bool is_bfloat16(PyObject* array) {
  const object dtype = attribute(array, "dtype");
  if (!dtype) return false;
  const object text = object::take(PyObject_Str(dtype.get()));
  return text_of(text.get(), "dtype") == "bfloat16";
}

}  // namespace

view::view(PyObject* array, const axis_names& names, std::string_view argument) : names_(names) {
  if (!of_buffer(array, argument) && !of_exchange(array, argument)) of_capsule(array, argument);
  its_.axes = names_.pointers();
  if (names_.count() < 0 || names_.count() == its_.ndim) return;
  std::string listed;
  for (int at = 0; at < names_.count(); ++at) listed.append(at > 0 ? " " : "").append(names_.pointers()[at]);
  refuse("array-axes", argument,
         "it has " + std::to_string(its_.ndim) + " axes, and " + std::to_string(names_.count()) + " are named, \"" +
             listed + "\"",
         "give a name for each axis, outermost first");
}

bool view::is_pair(PyObject* given) { return PyTuple_Check(given) && PyTuple_Size(given) == 2; }

bool view::of_buffer(PyObject* array, std::string_view argument) {
  if (PyObject_CheckBuffer(array) == 0) return false;
  if (!buffer_.take(array)) {
    PyErr_Clear();
    if (!is_bfloat16(array)) return false;  // DLPack may know more, or says why not
    if (!attribute(array, "flags")) return false;
    of_bfloat16(array, argument);
    return true;
  }
  const Py_buffer& its = buffer_.its;
  its_.dtype = dtype_of(its.format == nullptr ? "B" : its.format, its.itemsize);
  if (its_.dtype == 0) refuse_dtype(array, argument);
  take_buffer(argument);
  return true;
}

// NumPy has no format for ml_dtypes' bfloat16; its bits are a view.
void view::of_bfloat16(PyObject* array, std::string_view argument) {
  kept_ = object::take(PyObject_CallMethod(array, "view", "s", "uint16"));
  if (!buffer_.take(kept_.get())) throw error_is_set();
  its_.dtype = AXISMASK_BFLOAT16;
  take_buffer(argument);
}

void view::take_buffer(std::string_view argument) {
  const Py_buffer& its = buffer_.its;
  if (its.ndim > AXISMASK_MAX_AXES) {
    refuse("array-rank", argument, "it has " + std::to_string(its.ndim) + " axes, and from 0 to 16 are possible",
           "give an array of fewer axes");
  }
  for (int axis = 0; axis < its.ndim; ++axis) {
    const auto at = static_cast<std::size_t>(axis);
    shape_[at] = its.shape[axis];
    strides_[at] = its.strides[axis] / its.itemsize;
    if (its.strides[axis] % its.itemsize == 0 || shape_[at] <= 1) continue;
    refuse("array-strides", std::string(argument),
           "its axis " + std::to_string(axis) + " has a stride of " + std::to_string(its.strides[axis]) +
               " bytes, and elements have " + std::to_string(its.itemsize),
           "give a copy of it");
  }
  its_.data = its.buf;
  its_.device = AXISMASK_HOST;
  its_.ndim = its.ndim;
  its_.read_only = its.readonly != 0 ? 1 : 0;
  its_.shape = shape_.data();
  its_.strides = strides_.data();
}

bool view::of_exchange(PyObject* array, std::string_view argument) {
  const dlpack::exchange* const functions = exchange_of(Py_TYPE(array));
  if (functions == nullptr) return false;
  dlpack::tensor tensor{};
  if (functions->tensor_of(array, &tensor) != 0) {
    PyErr_Clear();
    return false;  // __dlpack__ says why
  }
  // On a device others' work may be under way: __dlpack__ waits for it.
  if (tensor.device != dlpack::device_type::cpu && tensor.device != dlpack::device_type::cuda_host) return false;
  // Whole numbers have no gradients, and no negatives that are views.
  if (tensor.code == dlpack::real || tensor.code == dlpack::bfloat) check_torch(array, argument);
  if (tensor.data == nullptr && std::count(tensor.shape, tensor.shape + tensor.ndim, 0) == 0) {
    refuse("array-memory", argument, "it has no memory, as a tensor that is traced",
           "under torch.compile and export call axismask.torch");
  }
  const auto axes = static_cast<std::size_t>(names_.count() < 0 ? tensor.ndim : names_.count());
  if (static_cast<std::size_t>(tensor.ndim) != axes) {
    its_.ndim = tensor.ndim;
    return true;
  }
  check_tensor(axismask_from_dltensor(&tensor, names_.pointers(), axes, &its_), argument);
  return true;
}

namespace {

bool is_on_cuda(PyObject* array) {
  PyObject* const made = PyObject_CallMethod(array, "__dlpack_device__", nullptr);
  if (made == nullptr) {
    PyErr_Clear();  // __dlpack__ says why
    return false;
  }
  const object device = object::take(made);
  int kind = 0;
  int number = 0;
  if (PyArg_ParseTuple(device.get(), "ii", &kind, &number) == 0) throw error_is_set();
  return kind == static_cast<int>(dlpack::device_type::cuda) ||
         kind == static_cast<int>(dlpack::device_type::cuda_managed);
}

}  // namespace

void view::of_capsule(PyObject* array, std::string_view argument) {
  const object method = attribute(array, "__dlpack__");
  if (!method) {
    refuse("array-type", argument, "it is a " + type_name(array) + ", and no array",
           "give an array of NumPy, torch, JAX or CuPy, or of another library that has __dlpack__");
  }
  check_torch(array, argument);
  const object none_given = object::take(PyTuple_New(0));
  const object versions = object::take(Py_BuildValue("{s:(ii)}", "max_version", 1, 0));
  // Work on CUDA stands in the default stream, 1, and is to come after the work that makes the array: torch waits for
  // that only if the stream is given.
  if (is_on_cuda(array)) {
    const object stream = object::take(PyLong_FromLong(1));
    if (PyDict_SetItemString(versions.get(), "stream", stream.get()) != 0) throw error_is_set();
  }
  PyObject* made = PyObject_Call(method.get(), none_given.get(), versions.get());
  if (made == nullptr && PyErr_ExceptionMatches(PyExc_TypeError) != 0) {
    PyErr_Clear();
    made = PyObject_Call(method.get(), none_given.get(), nullptr);
  }
  if (made == nullptr) {
    const std::string why = text_of_error();
    refuse("array-memory", argument, "its library does not give its memory: " + why,
           is_jax(array) ? "under jit, vmap or grad call axismask.jax; else give an array that is on one device"
                         : "give an array in memory of the processor or of one device");
  }
  kept_ = object::take(made);
  // The capsule is not consumed: it ends its tensor when it is let go.
  const void* tensor = nullptr;
  bool read_only = false;
  if (PyCapsule_IsValid(made, "dltensor_versioned") != 0) {
    const auto& its = *static_cast<const dlpack::managed_tensor*>(PyCapsule_GetPointer(made, "dltensor_versioned"));
    tensor = &its.its;
    read_only = (its.flags & 1) != 0;
  } else {
    tensor = PyCapsule_GetPointer(made, "dltensor");
    if (tensor == nullptr) throw error_is_set();
  }
  its_.ndim = static_cast<const dlpack::tensor*>(tensor)->ndim;
  const auto axes = static_cast<std::size_t>(names_.count() < 0 ? its_.ndim : names_.count());
  if (static_cast<std::size_t>(its_.ndim) != axes) return;  // the constructor says so
  check_tensor(axismask_from_dltensor(tensor, names_.pointers(), axes, &its_), argument);
  its_.read_only = read_only || is_jax(array) ? 1 : 0;
}

const view& side_inputs::add(PyObject* array, const axis_names& names, std::string_view argument) {
  if (count_ < first_.size()) return first_[count_].emplace(array, names, argument);
  return more_.emplace_back(array, names, argument);
}

side_inputs::side_inputs(PyObject* layer, PyObject* inputs) {
  Py_ssize_t at = 0;
  PyObject* key = nullptr;
  PyObject* value = nullptr;
  while (PyDict_Next(inputs, &at, &key, &value) != 0) {
    const std::string_view name = text_of(key, "inputs");
    if (count_ == given_.size())
      refuse("argument-type", name, "there are more than 32 side inputs", "give the layer's");
    const bool pair = view::is_pair(value);
    const object axes = pair ? object::share(PyTuple_GetItem(value, 1))
                             : object::take(PyObject_CallMethod(layer, "_axes_of", "OO", key, value));
    const view& its = add(pair ? PyTuple_GetItem(value, 0) : value, axis_names(axes.get(), name), name);
    given_[count_++] = {name.data(), its.its()};
  }
}

}  // namespace axismask::python
