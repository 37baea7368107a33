// Calls of a layer: of logits, of masks by themselves, of attention.
#include <optional>
#include <string>

#include "arguments.hpp"
#include "arrays.hpp"
#include "module.hpp"

namespace axismask::python {
namespace {

// Of a plan, which is None or an axismask.Plan, and a number of threads.
class call_options {
 public:
  call_options(PyObject* plan, PyObject* threads) {
    if (plan != Py_None) {
      kept_ = handle_attribute(plan);
      its_.plan = in_capsule<axismask_plan>(kept_.get());
    }
    its_.threads = small_integer_of(threads, "threads");
  }
  [[nodiscard]] const axismask_call_options* get() const { return &its_; }

 private:
  object kept_;
  axismask_call_options its_ = AXISMASK_CALL_OPTIONS;
};

// An array which may be a pair, (array, axes); else it has the axes of another.
view view_of(PyObject* given, PyObject* axes, const char* argument) {
  const bool pair = view::is_pair(given);
  return {pair ? PyTuple_GetItem(given, 0) : given, axis_names(pair ? PyTuple_GetItem(given, 1) : axes, argument),
          argument};
}

// Of (array, axes), or None, which is none.
void take_pair(std::optional<view>& it, PyObject* given, const char* argument) {
  if (given == Py_None) return;
  if (!view::is_pair(given)) refuse("argument-type", argument, "it is no pair", "give (array, axes)");
  it.emplace(PyTuple_GetItem(given, 0), axis_names(PyTuple_GetItem(given, 1), argument), argument);
}

}  // namespace

// (layer, logits, axes, out, plan, threads, inputs)
PyObject* apply(PyObject*, PyObject* const* given, Py_ssize_t count) {
  return guarded([&] {
    const arguments all(given, count, 7);
    const axismask_layer* const layer = layer_of(all[0]);
    const view logits(all[1], axis_names(all[2], "logits"), "logits");
    const view out = view_of(all[3], all[2], "out");
    const call_options options(all[4], all[5]);
    const side_inputs inputs(all[0], all[6]);
    call([&] {
      return axismask_layer_apply(layer, &logits.its(), &out.its(), inputs.data(), inputs.size(), options.get());
    });
    return none();
  });
}

// (layer, logits, axes, plan, threads, inputs)
PyObject* apply_in_place(PyObject*, PyObject* const* given, Py_ssize_t count) {
  return guarded([&] {
    const arguments all(given, count, 6);
    const axismask_layer* const layer = layer_of(all[0]);
    const view logits(all[1], axis_names(all[2], "logits"), "logits");
    if (logits.its().read_only != 0) {
      refuse("result-const", "logits", "they cannot be written", "call apply, which gives new ones");
    }
    const call_options options(all[3], all[4]);
    const side_inputs inputs(all[0], all[5]);
    call([&] {
      return axismask_layer_apply_in_place(layer, &logits.its(), inputs.data(), inputs.size(), options.get());
    });
    return none();
  });
}

// (layer, out, axes, masked, number, pad_keys, threads, inputs)
PyObject* mask(PyObject*, PyObject* const* given, Py_ssize_t count) {
  return guarded([&] {
    const arguments all(given, count, 8);
    const axismask_layer* const layer = layer_of(all[0]);
    const view out(all[1], axis_names(all[2], "axes"), "out");
    axismask_mask_options options = AXISMASK_MASK_OPTIONS;
    options.masked = small_integer_of(all[3], "masked");
    options.number = number_of(all[4], "masked");
    options.pad_keys = small_integer_of(all[5], "pad_keys");
    const call_options call_its(Py_None, all[6]);
    options.call = call_its.get();
    const side_inputs inputs(all[0], all[7]);
    call([&] { return axismask_write_mask(layer, &out.its(), inputs.data(), inputs.size(), &options); });
    return none();
  });
}

// (layer, queries, axes, keys, axes, values, axes, out, axes, (log_sum_exp, axes) or None, (sinks, axes) or None,
// (scale, softcap, projection), plan, threads, inputs)
PyObject* attend(PyObject*, PyObject* const* given, Py_ssize_t count) {
  return guarded([&] {
    const arguments all(given, count, 15);
    const axismask_layer* const layer = layer_of(all[0]);
    const view queries(all[1], axis_names(all[2], "queries"), "queries");
    const view keys(all[3], axis_names(all[4], "keys"), "keys");
    const view values(all[5], axis_names(all[6], "values"), "values");
    const view out(all[7], axis_names(all[8], "out"), "out");
    std::optional<view> log_sum_exp;
    std::optional<view> sinks;
    take_pair(log_sum_exp, all[9], "log_sum_exp");
    take_pair(sinks, all[10], "sinks");
    axismask_attention_options options = AXISMASK_ATTENTION_OPTIONS;
    const std::string projection(text_of(PyTuple_GetItem(all[11], 2), "projection"));
    options.scale = number_of(PyTuple_GetItem(all[11], 0), "scale");
    options.softcap = number_of(PyTuple_GetItem(all[11], 1), "softcap");
    options.projection = projection.c_str();
    options.log_sum_exp = log_sum_exp.has_value() ? &log_sum_exp->its() : nullptr;
    options.sinks = sinks.has_value() ? &sinks->its() : nullptr;
    const call_options call_its(all[12], all[13]);
    options.call = call_its.get();
    const side_inputs inputs(all[0], all[14]);
    const axismask_attention_arrays arrays{&queries.its(), &keys.its(), &values.its(), &out.its()};
    call([&] { return axismask_attend(layer, &arrays, inputs.data(), inputs.size(), &options); });
    return none();
  });
}

// (array, name of the argument): its shape, dtype, device and whether it is read only, as the library sees it.
PyObject* describe_array(PyObject*, PyObject* const* given, Py_ssize_t count) {
  return guarded([&] {
    const arguments all(given, count, 2);
    const std::string argument(text_of(all[1], "argument"));
    const view its(all[0], axis_names(), argument);
    const axismask_array& array = its.its();
    const object shape = object::take(PyTuple_New(array.ndim));
    for (int axis = 0; axis < array.ndim; ++axis) {
      must(PyTuple_SetItem(shape.get(), axis, object::take(PyLong_FromLongLong(array.shape[axis])).release()));
    }
    const object address = object::take(PyLong_FromVoidPtr(array.data));
    return object::take(
        Py_BuildValue("(OOiii)", address.get(), shape.get(), array.dtype, array.device, array.read_only));
  });
}

}  // namespace axismask::python
