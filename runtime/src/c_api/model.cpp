// Models and their layers, from a spec or from a config.json.
#include "axismask/model.hpp"

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "axismask/linked.hpp"
#include "c_api/given.hpp"
#include "c_api/objects.hpp"
#include "c_api/status.hpp"
#include "huggingface/certainty.hpp"

namespace axismask::c_api {

model_object::model_object(Model its_model) : model(std::move(its_model)) {
  for (const any_layer& layer : model.layers()) {
    layers.push_back({&layer, &layer.values(), std::string(layer.type().name), layer.formula()});
  }
  handles.reserve(layers.size());  // so that each handle made is noted
  try {
    for (layer_object& layer : layers) handles.push_back(handle_of(layer));
  } catch (...) {
    for (const axismask_layer* layer : handles) end_handle(layer);
    throw;
  }
}

model_object::~model_object() {
  for (const axismask_layer* layer : handles) end_handle(layer);
}

namespace {

std::string_view text_of_size(const char* text, std::size_t bytes) {
  if (text == nullptr && bytes > 0) refuse_null({"text"}, "give the text, and how many bytes it has");
  return {text == nullptr ? "" : text, bytes};
}

// Text that is not from a file is called by what it is.
std::string source_of(const char* source, const char* otherwise) {
  return std::string(source == nullptr ? otherwise : text_of(source, {"source"}, longest_path));
}

void check_config(const config_object& its, std::uint32_t flags, huggingface::spec_for use) {
  if ((flags & AXISMASK_STRICT) != 0) {
    auto warnings = its.config.warnings;
    if (use != huggingface::spec_for::text) {
      std::erase_if(warnings, [](const auto& one) { return one.id == "config-text-only"; });
    }
    huggingface::refuse_warnings(warnings, "AXISMASK_STRICT");
  }
  if ((flags & AXISMASK_TAKE_GUESS) != 0 || its.config.is_certain(use)) return;
  huggingface::refuse_guess(its.config, its.source, "AXISMASK_TAKE_GUESS");
}

axismask_config* give_config(huggingface::config config, std::string source) {
  auto made = std::make_unique<config_object>(config_object{std::move(config), std::move(source), {}});
  for (const huggingface::warning& one : made->config.warnings) made->lines.push_back(one.line());
  return give(std::move(made));
}

}  // namespace
}  // namespace axismask::c_api

using namespace axismask::c_api;
using axismask::Model;

axismask_status axismask_load_layers(const char* file) {
  return guarded([&] { axismask::load_layers(std::string(text_of(file, {"file"}, longest_path))); });
}

axismask_status axismask_model_load(const char* file, axismask_model** model) {
  return guarded([&] {
    there(model, "model") = nullptr;
    *model = give(std::make_unique<model_object>(Model::load(text_of(file, {"file"}, longest_path))));
  });
}

axismask_status axismask_model_parse(const char* text, std::size_t bytes, const char* source, axismask_model** model) {
  return guarded([&] {
    there(model, "model") = nullptr;
    const std::string_view spec = text_of_size(text, bytes);
    *model = give(std::make_unique<model_object>(Model::parse(spec, source_of(source, "spec"))));
  });
}

axismask_status axismask_model_free(axismask_model* model) {
  return guarded([&] { free_object<model_object>(model, "model"); });
}

axismask_status axismask_model_json(const axismask_model* model, char* text, std::size_t capacity, std::size_t* bytes) {
  return guarded([&] { give_text(object_of<model_object>(model, "model").model.to_json(), text, capacity, bytes); });
}

axismask_status axismask_model_layer_count(const axismask_model* model, std::size_t* count) {
  return guarded([&] { there(count, "count") = object_of<model_object>(model, "model").layers.size(); });
}

axismask_status axismask_model_layer_at(const axismask_model* model, std::size_t index, const axismask_layer** layer) {
  return guarded([&] {
    there(layer, "layer") = nullptr;
    const auto& handles = object_of<model_object>(model, "model").handles;
    check_index(index, handles.size(), "layer");
    *layer = handles[index];
  });
}

axismask_status axismask_model_layer(const axismask_model* model, const char* name, const axismask_layer** layer) {
  return guarded([&] {
    there(layer, "layer") = nullptr;
    const model_object& its = object_of<model_object>(model, "model");
    const auto* const found = &its.model.layer(text_of(name, {"name"}, longest_path));
    *layer = its.handles[static_cast<std::size_t>(found - its.model.layers().data())];
  });
}

axismask_status axismask_layer_describe(const axismask_layer* layer, axismask_layer_info* info) {
  return guarded([&] {
    const layer_object& its = object_of<layer_object>(layer, "layer");
    there(info, "info") = {its.layer->name().c_str(), its.type.c_str(), its.formula.c_str(),
                           its.layer->place().c_str()};
  });
}

axismask_status axismask_config_load(const char* file, axismask_config** config) {
  return guarded([&] {
    there(config, "config") = nullptr;
    const std::string path(text_of(file, {"file"}, longest_path));
    *config = give_config(axismask::huggingface::config::load(path), path);
  });
}

axismask_status axismask_config_parse(const char* text, std::size_t bytes, const char* source,
                                      axismask_config** config) {
  return guarded([&] {
    there(config, "config") = nullptr;
    const std::string_view file = text_of_size(text, bytes);
    const std::string name = source_of(source, "config");
    *config = give_config(axismask::huggingface::config::parse(file, name), name);
  });
}

axismask_status axismask_config_warning_count(const axismask_config* config, std::size_t* count) {
  return guarded([&] { there(count, "count") = object_of<config_object>(config, "config").lines.size(); });
}

axismask_status axismask_config_warning(const axismask_config* config, std::size_t index, const char** line) {
  return guarded([&] {
    there(line, "line") = nullptr;
    const auto& lines = object_of<config_object>(config, "config").lines;
    check_index(index, lines.size(), "warning");
    *line = lines[index].c_str();
  });
}

axismask_status axismask_config_model(const axismask_config* config, std::uint32_t flags, axismask_model** model) {
  return guarded([&] {
    there(model, "model") = nullptr;
    const config_object& its = object_of<config_object>(config, "config");
    check_choice(flags, AXISMASK_TAKE_GUESS | AXISMASK_STRICT | AXISMASK_IMAGES, "flags", "the sum of flags");
    const auto use = (flags & AXISMASK_IMAGES) != 0 ? axismask::huggingface::spec_for::text_and_images
                                                    : axismask::huggingface::spec_for::text;
    const std::string spec = its.config.spec(use);
    check_config(its, flags, use);
    *model = give(std::make_unique<model_object>(Model::parse(spec, its.source)));
  });
}

axismask_status axismask_config_free(axismask_config* config) {
  return guarded([&] { free_object<config_object>(config, "config"); });
}
