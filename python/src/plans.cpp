// Plans, spans and forms: what the library makes by itself, as tensors that NumPy takes over.
#include <algorithm>
#include <functional>
#include <memory>
#include <numeric>
#include <string>

#include "arguments.hpp"
#include "arrays.hpp"
#include "dlpack.hpp"
#include "module.hpp"

namespace axismask::python {
namespace {

struct free_arrays {
  void operator()(axismask_arrays* it) const { axismask_arrays_free(it); }
};
using owned_arrays = std::unique_ptr<axismask_arrays, free_arrays>;

constexpr const char* capsule_name = "dltensor_versioned";

// A capsule of DLPack, which NumPy renames when it takes the tensor.
object tensor_of(const axismask_arrays* arrays, const char* name) {
  DLManagedTensorVersioned* tensor = nullptr;
  check(axismask_arrays_to_dlpack(arrays, name, &tensor));
  PyObject* const capsule = PyCapsule_New(tensor, capsule_name, [](PyObject* ended) {
    if (PyCapsule_IsValid(ended, capsule_name) == 0) return;
    auto* const its = static_cast<dlpack::managed_tensor*>(PyCapsule_GetPointer(ended, capsule_name));
    its->deleter(its);
  });
  if (capsule == nullptr) {
    auto* const its = reinterpret_cast<dlpack::managed_tensor*>(tensor);
    its->deleter(its);
  }
  return object::take(capsule);
}

// A dict of capsules by the arrays' names, in their order.
object tensors_of(const owned_arrays& arrays) {
  std::size_t count = 0;
  check(axismask_arrays_count(arrays.get(), &count));
  object all = object::take(PyDict_New());
  for (std::size_t at = 0; at < count; ++at) {
    const char* name = nullptr;
    check(axismask_arrays_at(arrays.get(), at, &name, nullptr));
    must(PyDict_SetItemString(all.get(), name, tensor_of(arrays.get(), name).get()));
  }
  return all;
}

// A view's elements, int32 in C order on the host. Throws axismask.Error when they are not.
std::int32_t* dense_int32(const view& array, const char* argument, bool written) {
  const axismask_array& its = array.its();
  std::int64_t stride = 1;
  bool dense = its.dtype == AXISMASK_INT32 && its.device == AXISMASK_HOST && its.ndim > 0;
  for (int axis = its.ndim; axis-- > 0; stride *= its.shape[axis]) {
    dense = dense && (its.strides == nullptr || its.shape[axis] == 1 || its.strides[axis] == stride);
  }
  if (!dense || (written && its.read_only != 0)) {
    refuse("array-layout", argument, "it is no int32 of C order in the host's memory",
           "give numpy.ascontiguousarray of it");
  }
  return static_cast<std::int32_t*>(its.data);
}

// A matrix of tiles: of each row a list of columns.
struct tile_lists {
  std::int32_t* counts;   // [rows]
  std::int32_t* indices;  // [rows, columns]
  std::int64_t rows, columns;
};

// Writes to `out` of each column the rows that list it, ascending, and zeros behind them. Returns false at an index
// that is no column.
bool turn(const tile_lists& lists, const tile_lists& out) {
  std::fill_n(out.counts, out.rows, 0);
  std::fill_n(out.indices, out.rows * out.columns, 0);
  for (std::int64_t row = 0; row < lists.rows; ++row) {
    if (lists.counts[row] < 0 || lists.counts[row] > lists.columns) return false;
    for (std::int32_t at = 0; at < lists.counts[row]; ++at) {
      const std::int32_t column = lists.indices[row * lists.columns + at];
      if (column < 0 || column >= lists.columns || out.counts[column] == out.columns) return false;
      out.indices[column * out.columns + out.counts[column]++] = static_cast<std::int32_t>(row);
    }
  }
  return true;
}

object described(const axismask_plan* plan) {
  axismask_plan_info its{};
  check(axismask_plan_describe(plan, &its));
  const object planes = object::take(PyList_New(0));
  for (std::size_t axis = 0; axis < its.plane_axis_count; ++axis) {
    const object one =
        object::take(Py_BuildValue("(sL)", its.plane_axes[axis], static_cast<long long>(its.plane_sizes[axis])));
    must(PyList_Append(planes.get(), one.get()));
  }
  const auto number = [](std::int64_t one) { return static_cast<long long>(one); };
  return object::take(Py_BuildValue("{s:s,s:s,s:(LL),s:L,s:L,s:L,s:L,s:L,s:L,s:L,s:O}", "query_axis", its.query_axis,
                                    "kv_axis", its.kv_axis, "tile", number(its.tile_queries), number(its.tile_keys),
                                    "queries", number(its.queries), "keys", number(its.keys), "rows", number(its.rows),
                                    "columns", number(its.columns), "none", number(its.none), "some", number(its.some),
                                    "all", number(its.all), "planes", planes.get()));
}

}  // namespace

// (layer, tile_queries, tile_keys, exact, inputs): a plan's capsule and a dict of what it is.
PyObject* make_plan(PyObject*, PyObject* const* given, Py_ssize_t count) {
  return guarded([&] {
    const arguments all(given, count, 5);
    const axismask_layer* const layer = layer_of(all[0]);
    const std::int64_t queries = integer_of(all[1], "tile[0]");
    const std::int64_t keys = integer_of(all[2], "tile[1]");
    const bool exact = PyObject_IsTrue(all[3]) != 0;
    const side_inputs inputs(all[0], all[4]);
    axismask_plan* plan = nullptr;
    call([&] {
      const auto make = exact ? axismask_plan_make_exact : axismask_plan_make;
      return make(layer, queries, keys, inputs.data(), inputs.size(), &plan);
    });
    const object its = capsule_of(plan);
    return object::take(PyTuple_Pack(2, its.get(), described(plan).get()));
  });
}

// (plan, memory): writes a byte for each tile.
PyObject* plan_verdicts(PyObject*, PyObject* const* given, Py_ssize_t count) {
  return guarded([&] {
    const arguments all(given, count, 2);
    const view out(all[1], axis_names(), "verdicts");
    std::size_t bytes = 1;
    for (int axis = 0; axis < out.its().ndim; ++axis) bytes *= static_cast<std::size_t>(out.its().shape[axis]);
    check(axismask_plan_verdicts(in_capsule<axismask_plan>(all[0]), static_cast<std::uint8_t*>(out.its().data), bytes));
    return none();
  });
}

// (counts [..., rows], indices [..., rows, columns], out_counts [..., columns], out_indices [..., columns, rows])
PyObject* turn_lists(PyObject*, PyObject* const* given, Py_ssize_t number) {
  return guarded([&] {
    const arguments all(given, number, 4);
    const view counts(all[0], axis_names(), "counts");
    const view indices(all[1], axis_names(), "indices");
    const view out_counts(all[2], axis_names(), "out_counts");
    const view out_indices(all[3], axis_names(), "out_indices");
    const axismask_array& its = indices.its();
    const tile_lists lists{dense_int32(counts, "counts", false), dense_int32(indices, "indices", false),
                           its.ndim < 2 ? 0 : its.shape[its.ndim - 2], its.ndim < 1 ? 0 : its.shape[its.ndim - 1]};
    const tile_lists out{dense_int32(out_counts, "out_counts", true), dense_int32(out_indices, "out_indices", true),
                         lists.columns, lists.rows};
    const auto size_of = [](const axismask_array& array) {
      return std::accumulate(array.shape, array.shape + array.ndim, std::int64_t{1}, std::multiplies<>());
    };
    const std::int64_t planes = lists.rows * lists.columns == 0 ? 0 : size_of(its) / (lists.rows * lists.columns);
    if (size_of(counts.its()) != planes * lists.rows || size_of(out_counts.its()) != planes * lists.columns ||
        size_of(out_indices.its()) != size_of(its)) {
      refuse("array-layout", "counts", "the sizes of the lists do not fit", "give those of one form");
    }
    bool fits = true;
    {
      const without_gil others;
      for (std::int64_t plane = 0; plane < planes && fits; ++plane) {
        const std::int64_t tiles = plane * lists.rows * lists.columns;
        fits = turn({lists.counts + plane * lists.rows, lists.indices + tiles, lists.rows, lists.columns},
                    {out.counts + plane * lists.columns, out.indices + tiles, out.rows, out.columns});
      }
    }
    if (!fits) refuse("array-layout", "indices", "a list has an index that is no tile", "give those of one form");
    return none();
  });
}

PyObject* plan_list(PyObject*, PyObject* const* given, Py_ssize_t count) {
  return guarded([&] {
    const arguments all(given, count, 2);
    axismask_arrays* made = nullptr;
    check(axismask_plan_list(in_capsule<axismask_plan>(all[0]), small_integer_of(all[1], "verdict"), &made));
    return tensors_of(owned_arrays(made));
  });
}

// (layer, threads, inputs)
PyObject* spans(PyObject*, PyObject* const* given, Py_ssize_t count) {
  return guarded([&] {
    const arguments all(given, count, 3);
    const axismask_layer* const layer = layer_of(all[0]);
    axismask_call_options options = AXISMASK_CALL_OPTIONS;
    options.threads = small_integer_of(all[1], "threads");
    const side_inputs inputs(all[0], all[2]);
    axismask_arrays* made = nullptr;
    call([&] { return axismask_spans(layer, inputs.data(), inputs.size(), &options, &made); });
    return tensors_of(owned_arrays(made));
  });
}

// (layer, name, (queries, keys), (batch_axis, heads_axis), (pages or None, page_count), inputs)
PyObject* form(PyObject*, PyObject* const* given, Py_ssize_t count) {
  return guarded([&] {
    const arguments all(given, count, 6);
    const axismask_layer* const layer = layer_of(all[0]);
    const std::string name(text_of(all[1], "name"));
    const std::string batch(text_of(PyTuple_GetItem(all[3], 0), "batch_axis"));
    const std::string heads(text_of(PyTuple_GetItem(all[3], 1), "heads_axis"));
    axismask_form_options options = AXISMASK_FORM_OPTIONS;
    options.tile_queries = integer_of(PyTuple_GetItem(all[2], 0), "tile[0]");
    options.tile_keys = integer_of(PyTuple_GetItem(all[2], 1), "tile[1]");
    options.batch_axis = batch.c_str();
    options.heads_axis = heads.c_str();
    options.page_count = integer_of(PyTuple_GetItem(all[4], 1), "page_count");
    std::unique_ptr<view> pages;
    if (PyObject* const table = PyTuple_GetItem(all[4], 0); table != Py_None) {
      pages = std::make_unique<view>(table, axis_names(), "pages");
      options.pages = &pages->its();
    }
    const side_inputs inputs(all[0], all[5]);
    axismask_arrays* made = nullptr;
    call([&] { return axismask_write_form(layer, name.c_str(), inputs.data(), inputs.size(), &options, &made); });
    return tensors_of(owned_arrays(made));
  });
}

// A list of (name, target, has_tiles, has_pages).
PyObject* forms(PyObject*, PyObject* const* given, Py_ssize_t number) {
  return guarded([&] {
    const arguments all(given, number, 0);
    std::size_t count = 0;
    check(axismask_form_count(&count));
    object found = object::take(PyList_New(0));
    for (std::size_t at = 0; at < count; ++at) {
      axismask_form_info its{};
      check(axismask_form_describe(at, &its));
      const object tiles = object::take(PyBool_FromLong(its.has_tiles));
      const object pages = object::take(PyBool_FromLong(its.has_pages));
      const object one = object::take(Py_BuildValue("(ssOO)", its.name, its.target, tiles.get(), pages.get()));
      must(PyList_Append(found.get(), one.get()));
    }
    return found;
  });
}

}  // namespace axismask::python
