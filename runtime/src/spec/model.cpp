// Models: the loader of specs, and saving. The checks go in the spec's order, and take the attributes of each layer
// from its linked type. They let nothing in that the schema rejects (tests/runtime/schema_agrees_test.cpp).
#include "axismask/model.hpp"

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>
#include <utility>

#include "axismask/messages/error.hpp"
#include "axismask/messages/text.hpp"
#include "files/new_file.hpp"
#include "spec/groups.hpp"
#include "spec/json_text.hpp"
#include "spec/layer_contents.hpp"
#include "spec/mask_shape.hpp"
#include "spec/read_mask.hpp"
#include "spec/read_values.hpp"
#include "spec/spec_keys.hpp"
#include "spec/spec_text.hpp"

namespace axismask {

using namespace spec;
using nlohmann::json;

namespace {

constexpr json_file spec_file{
    .open_id = "spec-open",
    .syntax_id = "spec-json",
    .duplicate_key_id = "spec-duplicate-key",
    .number_id = "spec-value",
    .name = "a model spec",
    .empty_cure = R"(write a spec in it: {"axismask": 1, "model": ..., "layers": [...]})",
    .infinity_cure = R"(for minus infinity write "-inf", with the quotes)",
    .number_cure =
        R"(give one between -1.7976931348623157e308 and 1.7976931348623157e308, or "-inf" for minus infinity)",
    .has_whole_floats = true,
};

// Everything of a spec but its layers. The place of the spec itself is empty here.
void check_frame(const json& spec) {
  if (!spec.is_object()) throw_wrong_type("", spec, spec_wanted);
  // First of all: with another version, other keys may be right.
  if (const auto version = spec.find(keys::version.name); version != spec.end()) {
    const std::string where = step(keys::version.name);
    if (!version->is_number()) throw_wrong_type(where, *version, version_wanted);
    if (*version != 1) {
      throw error("spec-version", where, "the spec has version " + version->dump() + " of the format",
                  "this program reads version 1; write 1, or get the axismask that reads the spec's version");
    }
  }
  check_keys(spec, "", "a spec", keys::of_spec);
  if (const auto schema = spec.find(keys::schema.name); schema != spec.end() && !schema->is_string()) {
    throw_wrong_type(step(keys::schema.name), *schema, keys::schema.wanted);
  }
  read_text(spec, "", keys::model);
  if (const auto masks = spec.find(keys::masks.name); masks != spec.end() && !masks->is_object()) {
    throw_wrong_type(step(keys::masks.name), *masks, keys::masks.wanted);
  }
  const json& layers = spec[keys::layers.name];
  if (!layers.is_array()) throw_wrong_type(step(keys::layers.name), layers, layers_wanted);
  if (layers.empty()) throw_empty(step(keys::layers.name), one_layer_wanted);
}

}  // namespace

Model Model::load(const std::filesystem::path& file) { return parse(read_text_file(file, spec_file), file.string()); }

Model Model::parse(std::string_view text, const std::string& source) {
  const json_document document = parse_json(text, source, spec_file);
  const json& spec = *document;
  Model model;
  try {
    check_frame(spec);
    model.name_ = spec[keys::model.name];
    std::map<std::string_view, std::string> entries;
    for (const auto& [mask, where, entry, group_name] : expand_layers(spec)) {
      const mask_role role = group_name.empty() ? mask_role::layer : mask_role::group;
      const mask_shape shape = read_shape(*mask, where, role);
      const auto read = std::make_shared<any_layer::contents>(find_type(shape));
      read->name = group_name;
      read->place = where;
      read_layer(shape, role, *read);
      const auto [same, is_new] = entries.emplace(read->name, entry);
      if (!is_new) {
        throw error("spec-layer-name", entry + step(keys::name.name),
                    "the layer " + same->second + " is called " + in_quotes(read->name) + " too",
                    "give each layer a name of its own");
      }
      model.layers_.push_back(any_layer(read));
    }
  } catch (const error& problem) {
    if (problem.where().empty()) throw problem.at(source);  // of the spec as a whole
    throw;
  }
  return model;
}

std::string Model::to_json() const {
  std::vector<named_mask> masks;
  for (const any_layer& layer : layers_) {
    const composition how = layer.type().how;
    masks.push_back({.name = layer.name(),
                     .kind = std::string(how == composition::none ? layer.type().name : key_of(how)),
                     .mask = mask_json(layer, false)});
  }
  return spec_text(name_, masks);
}

void Model::save(const std::filesystem::path& file) const {
  const std::string text = to_json();
  new_file output(file, "spec-write");
  output.write(text.data(), text.size());
  output.finish();
}

const any_layer& Model::layer(std::string_view name) const {
  for (const any_layer& layer : layers_) {
    if (layer.name() == name) return layer;
  }
  std::vector<std::string> names;
  for (const any_layer& layer : layers_) names.push_back(escaped(layer.name()));
  const std::vector<std::string_view> views(names.begin(), names.end());
  constexpr std::size_t listed = 5;
  std::string list;
  for (std::size_t index = 0; index < std::min(listed, layers_.size()); ++index) {
    list += (index == 0 ? "" : ", ") + in_quotes(layers_[index].name());
  }
  if (layers_.empty()) list = "none";
  if (layers_.size() > listed) list += ", ... (" + std::to_string(layers_.size()) + " in all)";
  throw error("spec-layer-name", "layer",
              "the model " + in_quotes(name_) + " has no layer " + in_quotes(name) + did_you_mean(name, views).str(),
              "its layers are " + list);
}

}  // namespace axismask
