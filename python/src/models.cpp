// Models and their layers.
#include <memory>
#include <string>
#include <vector>

#include "arguments.hpp"
#include "module.hpp"

namespace axismask::python {
namespace {

object text(const char* it) { return object::take(PyUnicode_FromString(it)); }

// Of a str that may hold anything but a 0.
std::string c_text(PyObject* given, const char* argument) {
  std::string its(text_of(given, argument));
  if (its.find('\0') != std::string::npos) refuse("argument-type", argument, "it has a 0 in it", "give a text without");
  return its;
}

object described(const axismask_layer* layer) {
  axismask_layer_info info{};
  check(axismask_layer_describe(layer, &info));
  const object number = object::take(PyLong_FromVoidPtr(const_cast<axismask_layer*>(layer)));
  return object::take(Py_BuildValue("(Ossss)", number.get(), info.name, info.type, info.formula, info.place));
}

struct free_config {
  void operator()(axismask_config* it) const { axismask_config_free(it); }
};

object warnings_of(const axismask_config* config) {
  std::size_t count = 0;
  check(axismask_config_warning_count(config, &count));
  object lines = object::take(PyList_New(0));
  for (std::size_t at = 0; at < count; ++at) {
    const char* line = nullptr;
    check(axismask_config_warning(config, at, &line));
    must(PyList_Append(lines.get(), text(line).get()));
  }
  return lines;
}

}  // namespace

const axismask_layer* layer_of(PyObject* layer) {
  const object number = handle_attribute(layer);
  void* const its = PyLong_AsVoidPtr(number.get());
  if (its == nullptr && PyErr_Occurred() != nullptr) throw error_is_set();
  return static_cast<const axismask_layer*>(its);
}

PyObject* version(PyObject*, PyObject* const* given, Py_ssize_t count) {
  return guarded([&] {
    const arguments all(given, count, 0);
    const std::int32_t number = axismask_version();
    return object::take(PyUnicode_FromFormat("%d.%d.%d", number / 10000, number / 100 % 100, number % 100));
  });
}

PyObject* load(PyObject*, PyObject* const* given, Py_ssize_t count) {
  return guarded([&] {
    const arguments all(given, count, 1);
    const std::string file = c_text(all[0], "path");
    axismask_model* model = nullptr;
    call([&] { return axismask_model_load(file.c_str(), &model); });
    return capsule_of(model);
  });
}

PyObject* parse(PyObject*, PyObject* const* given, Py_ssize_t count) {
  return guarded([&] {
    const arguments all(given, count, 2);
    const std::string_view spec = text_of(all[0], "text");
    const std::string source = c_text(all[1], "source");
    axismask_model* model = nullptr;
    call([&] { return axismask_model_parse(spec.data(), spec.size(), source.c_str(), &model); });
    return capsule_of(model);
  });
}

// (path or None, text or None, source, flags): a model and the lines of warnings.
PyObject* import_config(PyObject*, PyObject* const* given, Py_ssize_t count) {
  return guarded([&] {
    const arguments all(given, count, 4);
    const std::string source = c_text(all[2], "source");
    axismask_config* made = nullptr;
    if (all[0] != Py_None) {
      const std::string file = c_text(all[0], "config");
      call([&] { return axismask_config_load(file.c_str(), &made); });
    } else {
      const std::string_view config = text_of(all[1], "config");
      call([&] { return axismask_config_parse(config.data(), config.size(), source.c_str(), &made); });
    }
    const std::unique_ptr<axismask_config, free_config> config(made);
    axismask_model* model = nullptr;
    const auto flags = static_cast<std::uint32_t>(integer_of(all[3], "flags"));
    call([&] { return axismask_config_model(config.get(), flags, &model); });
    const object its = capsule_of(model);
    return object::take(PyTuple_Pack(2, its.get(), warnings_of(config.get()).get()));
  });
}

PyObject* load_layers(PyObject*, PyObject* const* given, Py_ssize_t count) {
  return guarded([&] {
    const arguments all(given, count, 1);
    const std::string file = c_text(all[0], "path");
    call([&] { return axismask_load_layers(file.c_str()); });
    return none();
  });
}

PyObject* layers(PyObject*, PyObject* const* given, Py_ssize_t number) {
  return guarded([&] {
    const arguments all(given, number, 1);
    const axismask_model* const model = in_capsule<axismask_model>(all[0]);
    std::size_t count = 0;
    check(axismask_model_layer_count(model, &count));
    object found = object::take(PyList_New(0));
    for (std::size_t at = 0; at < count; ++at) {
      const axismask_layer* layer = nullptr;
      check(axismask_model_layer_at(model, at, &layer));
      must(PyList_Append(found.get(), described(layer).get()));
    }
    return found;
  });
}

// (model, name): the layer's number.
PyObject* find_layer(PyObject*, PyObject* const* given, Py_ssize_t count) {
  return guarded([&] {
    const arguments all(given, count, 2);
    const axismask_layer* layer = nullptr;
    const std::string name = c_text(all[1], "name");
    check(axismask_model_layer(in_capsule<axismask_model>(all[0]), name.c_str(), &layer));
    return object::take(PyLong_FromVoidPtr(const_cast<axismask_layer*>(layer)));
  });
}

PyObject* to_json(PyObject*, PyObject* const* given, Py_ssize_t count) {
  return guarded([&] {
    const arguments all(given, count, 1);
    const axismask_model* const model = in_capsule<axismask_model>(all[0]);
    std::size_t bytes = 0;
    check(axismask_model_json(model, nullptr, 0, &bytes));
    std::vector<char> written(bytes);
    check(axismask_model_json(model, written.data(), bytes, &bytes));
    return object::take(PyUnicode_DecodeUTF8(written.data(), static_cast<Py_ssize_t>(bytes - 1), nullptr));
  });
}

PyObject* handle(PyObject*, PyObject* const* given, Py_ssize_t count) {
  return guarded([&] {
    const arguments all(given, count, 1);
    return object::take(PyLong_FromVoidPtr(const_cast<axismask_layer*>(layer_of(all[0]))));
  });
}

}  // namespace axismask::python
