// `axismask inspect`: lists the layers of a model spec.
#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <nlohmann/json.hpp>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "axismask/call/empty_row_rule.hpp"
#include "axismask/linked.hpp"
#include "axismask/messages/number_text.hpp"
#include "axismask/model.hpp"
#include "command/arguments.hpp"
#include "command/print.hpp"
#include "command/subcommands.hpp"
#include "spec/spec_keys.hpp"
#include "spec/spec_text.hpp"

namespace axismask::command {
namespace {

// The window's attribute (of a composed layer, the first), or the number of attributes when the layer has none.
std::size_t window_index(const any_layer& layer) {
  const auto& attributes = layer.type().attributes;
  const auto found = std::find_if(attributes.begin(), attributes.end(), [](const attribute_record& attribute) {
    return attribute.name == "sliding_window_size";
  });
  return static_cast<std::size_t>(found - attributes.begin());
}

json layer_json(const any_layer& layer) {
  const std::size_t window = window_index(layer);
  const linked_layer* linked = find_linked_layer(layer.type().name);
  const std::string_view kernel = linked == nullptr ? std::string_view() : chosen_variant(*linked);
  return {{"layer", layer.name()},
          {"type", layer.type().name},
          {"formula", layer.formula()},
          {"sliding_window_size",
           window == layer.type().attributes.size() ? json() : json::parse(attribute_json(layer, window))},
          {"masked_out_value", json::parse(masked_value_json(layer.values().masked_out_value))},
          {"empty_rows", name_of(layer.values().empty_rows)},
          {"empty_row_softmax", softmax_of_empty_row(layer.values().empty_rows, layer.values().masked_out_value)},
          {"attention", json::parse(attention_json(layer.attention()))},
          {"kernel", kernel.empty() ? json() : json(kernel)},
          {"place", layer.place()},
          {"attributes", json::parse(mask_json(layer, true))}};
}

// `512`, or `512, 1024, ... by heads`.
std::string window_text(const json& window) {
  if (window.is_null()) return "-";
  if (window.is_number()) return json_text(window);
  constexpr std::size_t shown = 4;
  std::vector<std::string> parts;
  for (const json& number : window["values"]) {
    parts.push_back(parts.size() < shown ? json_text(number) : "...");
    if (parts.size() > shown) break;
  }
  return joined(parts, ", ") + " by " + window["axis"].get<std::string>();
}

std::string masked_value_text(const json& value) {
  return value.is_string() ? value.get<std::string>() : number_text(value.get<double>());
}

// `scale 0.0625, softcap 50, sinks by heads`.
std::string attention_text(const json& attention) {
  std::vector<std::string> parts;
  for (const std::string_view key : {spec::keys::scale.name, spec::keys::softcap.name}) {
    if (attention.contains(key)) parts.push_back(std::string(key) + " " + masked_value_text(attention[key]));
  }
  if (attention.contains(spec::keys::sinks.name)) {
    parts.push_back("sinks by " + attention[spec::keys::sinks.name][spec::keys::axis.name].get<std::string>());
  }
  return parts.empty() ? "-" : joined(parts, ", ");
}

struct inspect_options {
  std::string spec;
  bool as_json = false;
};

// A column of its own, before the place, where some layer has an attention.
void add_attention(std::vector<row>& rows, const json& layers) {
  const auto has = [](const json& layer) { return !layer["attention"].is_null(); };
  if (std::none_of(layers.begin(), layers.end(), has)) return;
  rows.front().insert(rows.front().end() - 1, "ATTENTION");
  for (std::size_t at = 0; at < layers.size(); ++at) {
    rows[at + 1].insert(rows[at + 1].end() - 1, attention_text(layers[at]["attention"]));
  }
}

int run_inspect(const inspect_options& options) {
  const Model model = Model::load(options.spec);
  json layers = json::array();
  for (const any_layer& layer : model.layers()) layers.push_back(layer_json(layer));
  if (options.as_json) {
    print_json(layers);
  } else {
    std::vector<row> rows{{"LAYER", "TYPE", "KEEPS", "WINDOW", "MASKED VALUE", "AN EMPTY ROW", "KERNEL", "PLACE"}};
    for (const json& layer : layers) {
      rows.push_back({layer["layer"], layer["type"], layer["formula"], window_text(layer["sliding_window_size"]),
                      masked_value_text(layer["masked_out_value"]), layer["empty_row_softmax"],
                      layer["kernel"].is_null() ? "none" : layer["kernel"].get<std::string>(), layer["place"]});
    }
    add_attention(rows, layers);
    print_table(rows);
  }
  finish_output();
  return 0;
}

}  // namespace

subcommand inspect_subcommand() {
  const auto options = std::make_shared<inspect_options>();
  return {"inspect",
          "List the layers of a model spec",
          {spec_argument(options->spec), json_argument(options->as_json)},
          "One row a layer: what it keeps (q and k are the positions of query and key), what a softmax makes of a row\n"
          "that sees nothing, such as that of a padding query, the kernel that would run, and the place of its mask in "
          "the\n"
          "spec, a JSON pointer: /masks/NAME where a group names it.\n"
          "Example:\n"
          "  axismask inspect model.json",
          [options] { return run_inspect(*options); }};
}

}  // namespace axismask::command
