// `axismask inspect`: lists the layers of a model spec.
#include <algorithm>
#include <array>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "arguments.hpp"
#include "axismask/linked.hpp"
#include "axismask/model.hpp"
#include "print.hpp"
#include "subcommands.hpp"

namespace axismask::command {
namespace {

json masked_value_json(const masked_value& value) {
  switch (value.what()) {
    case masked_value::kind::lowest:
      return "lowest";
    case masked_value::kind::minus_infinity:
      return "-inf";
    case masked_value::kind::number:
      break;
  }
  return value.number();
}

// The numbers of a parameter that lies along one axis, as specs give it.
std::span<const std::int64_t> numbers_of(const any_view& view) {
  return {static_cast<const std::int64_t*>(view.data()), static_cast<std::size_t>(view.element_count())};
}

// An attribute as it stands in a spec.
json attribute_json(const Layer& layer, std::size_t index) {
  const attribute_value& value = layer.values().attributes[index];
  switch (layer.type().attributes[index].part) {
    case role::masked_value:
      return masked_value_json(layer.values().masked_out_value);
    case role::parameter:
      if (value.numbers == nullptr) return value.number;
      return {{"axis", value.numbers->axes().front().name}, {"values", numbers_of(*value.numbers)}};
    default:
      return value.name;
  }
}

// One mask of a composed layer as it stands in a spec. `name` is what is left of the name of the layer's type, such as
// "any(A, not(B)))", and `next` the first attribute that is left; both lose what the mask takes.
json part_json(const Layer& layer, std::string_view& name, std::size_t& next) {
  const std::string word(name.substr(0, name.find_first_of("(,)")));
  name.remove_prefix(word.size());
  json mask;
  if (!name.starts_with('(')) {
    mask["type"] = word;
    // The loader takes parts only whose types are linked.
    for (const attribute_record& attribute : find_linked_layer(word)->type->attributes) {
      if (attribute.part != role::masked_value) mask[std::string(attribute.name)] = attribute_json(layer, next++);
    }
    return mask;
  }
  json parts = json::array();
  while (!name.starts_with(')')) {
    name.remove_prefix(name.starts_with('(') ? 1 : 2);  // "(" or ", "
    parts.push_back(part_json(layer, name, next));
  }
  name.remove_prefix(1);
  mask[word] = word == "not" ? parts.front() : parts;
  return mask;
}

// All attributes of a layer as they stand in a spec.
json attributes_json(const Layer& layer) {
  if (is_composed(layer)) {
    std::string_view name = layer.type().name;
    std::size_t next = 1;  // after the masked value
    json attributes = part_json(layer, name, next);
    attributes["masked_out_value"] = masked_value_json(layer.values().masked_out_value);
    return attributes;
  }
  json attributes = json::object();
  for (std::size_t index = 0; index < layer.type().attributes.size(); ++index) {
    attributes[std::string(layer.type().attributes[index].name)] = attribute_json(layer, index);
  }
  return attributes;
}

// The window's attribute (of a composed layer, the first), or the number of attributes when the layer has none.
std::size_t window_index(const Layer& layer) {
  const auto& attributes = layer.type().attributes;
  const auto found = std::find_if(attributes.begin(), attributes.end(), [](const attribute_record& attribute) {
    return attribute.name == "sliding_window_size";
  });
  return static_cast<std::size_t>(found - attributes.begin());
}

json layer_json(const Layer& layer) {
  const std::size_t window = window_index(layer);
  const linked_layer* linked = find_linked_layer(layer.type().name);
  const std::string_view kernel = linked == nullptr ? std::string_view() : chosen_variant(*linked);
  return {{"layer", layer.name()},
          {"type", layer.type().name},
          {"formula", layer.formula()},
          {"sliding_window_size", window == layer.type().attributes.size() ? json() : attribute_json(layer, window)},
          {"masked_out_value", masked_value_json(layer.values().masked_out_value)},
          {"kernel", kernel.empty() ? json() : json(kernel)},
          {"attributes", attributes_json(layer)}};
}

// `512`, or `512, 1024, ... by heads`.
std::string window_text(const json& window) {
  if (window.is_null()) return "-";
  if (window.is_number()) return window.dump();
  constexpr std::size_t shown = 4;
  std::vector<std::string> parts;
  for (const json& number : window["values"]) {
    parts.push_back(parts.size() < shown ? number.dump() : "...");
    if (parts.size() > shown) break;
  }
  return joined(parts, ", ") + " by " + window["axis"].get<std::string>();
}

// A number in the shortest text that reads back as it.
std::string masked_value_text(const json& value) {
  if (value.is_string()) return value;
  std::array<char, 32> text;
  const auto [end, failure] = std::to_chars(text.data(), text.data() + text.size(), value.get<double>());
  return {text.data(), end};
}

struct inspect_options {
  std::string spec;
  bool as_json = false;
};

void run_inspect(const inspect_options& options) {
  const Model model = Model::load(options.spec);
  json layers = json::array();
  for (const Layer& layer : model.layers()) layers.push_back(layer_json(layer));
  if (options.as_json) {
    print_json(layers);
  } else {
    std::vector<row> rows{{"LAYER", "TYPE", "KEEPS", "WINDOW", "MASKED VALUE", "KERNEL"}};
    for (const json& layer : layers) {
      rows.push_back({layer["layer"], layer["type"], layer["formula"], window_text(layer["sliding_window_size"]),
                      masked_value_text(layer["masked_out_value"]),
                      layer["kernel"].is_null() ? "none" : layer["kernel"].get<std::string>()});
    }
    print_table(rows);
  }
  finish_output();
}

}  // namespace

void add_inspect(CLI::App& app) {
  const auto options = std::make_shared<inspect_options>();
  CLI::App* command = app.add_subcommand("inspect", "List the layers of a model spec");
  command->add_option("SPEC", options->spec, "The model spec, a JSON file")->required()->type_name("");
  command->add_flag("--json", options->as_json, "Print JSON");
  command->footer(
      "One row a layer: what it keeps (q and k are the positions of query and key), and the kernel that would run.\n"
      "Example:\n"
      "  axismask inspect model.json");
  command->callback([options] { run_inspect(*options); });
}

}  // namespace axismask::command
