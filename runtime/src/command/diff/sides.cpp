// Reads the two masks that `axismask diff` compares.
#include "command/diff/sides.hpp"

#include <algorithm>
#include <cstddef>
#include <filesystem>
#include <optional>
#include <string_view>
#include <system_error>
#include <utility>
#include <variant>

#include "axismask/layer_structure.hpp"
#include "axismask/messages/text.hpp"
#include "command/arguments.hpp"
#include "command/diff/conventions.hpp"
#include "command/print.hpp"
#include "mask/mask_rows.hpp"

namespace axismask::command {
namespace {

bool exists(const std::string& path) {
  std::error_code ignored;
  return std::filesystem::exists(path, ignored);
}

any_layer layer_of_spec(const std::string& option, const std::string& argument) {
  // A layer's name may have colons, and a file's too.
  for (std::size_t colon = argument.rfind(':'); colon != std::string::npos && colon > 0;
       colon = argument.rfind(':', colon - 1)) {
    const std::string file = argument.substr(0, colon);
    if (!exists(file)) continue;
    const Model model = Model::load(file);
    return named_layer(model, argument.substr(colon + 1), option);
  }
  if (exists(argument)) {
    const Model model = Model::load(argument);
    if (model.layers().size() == 1) return model.layers().front();
    throw error("usage", option,
                "\"" + argument + "\" has " + counted(model.layers().size(), "layer") + ", and none is named",
                model.layers().empty() ? "give a spec that has layers"
                                       : "name one after a colon: " + argument + ":" + model.layers().front().name());
  }
  const std::string name = argument.substr(0, argument.find(':'));
  if (name.find_first_of("./") == std::string::npos) {
    const std::vector<std::string_view> names = convention_names();
    throw error("usage", option,
                "there is neither a file nor a convention \"" + name + "\"" + did_you_mean(name, names).str(),
                "give SPEC:LAYER, or a convention of those that axismask diff --help lists");
  }
  const std::string file = argument.substr(0, argument.rfind(':'));
  return Model::load(file).layer(argument.substr(std::min(argument.size(), file.size() + 1)));  // there is no such file
}

side read_side(const std::string& option, const std::string& argument) {
  if (argument.empty()) throw error("usage", option, "it is empty", "give SPEC:LAYER, or a convention: flash:4096,0");
  if (std::optional<any_layer> layer = convention_layer(argument))
    return {option, argument, *std::move(layer), true, {}};
  return {option, argument, layer_of_spec(option, argument), false, {}};
}

// The layer with the names of side inputs and axes that the other one has, so that what is given serves both.
any_layer with_names_of(const any_layer& other, const any_layer& layer) {
  const any_attributes others = attributes_dict(other);
  any_attributes fields = attributes_dict(layer);
  for (auto& [name, value] : fields) {
    const auto same =
        std::find_if(others.begin(), others.end(), [&name = name](const auto& one) { return one.first == name; });
    if (same != others.end() && std::holds_alternative<std::string>(value)) value = same->second;
  }
  return from_attributes(layer.type(), fields, layer.name());
}

}  // namespace

two_sides read_sides(const std::string& a, const std::string& b) {
  two_sides sides{read_side("A", a), read_side("B", b)};
  if (sides.a.is_convention && !sides.b.is_convention) sides.a.layer = with_names_of(sides.b.layer, sides.a.layer);
  if (sides.b.is_convention && !sides.a.is_convention) sides.b.layer = with_names_of(sides.a.layer, sides.b.layer);
  return sides;
}

void share_inputs(two_sides& sides, std::span<const side_input> given) {
  for (const side_input& input : given) {
    const bool b_takes = takes_input(sides.b.layer, input.name);
    if (b_takes) sides.b.inputs.push_back(input);
    if (!b_takes || takes_input(sides.a.layer, input.name)) sides.a.inputs.push_back(input);
  }
}

bool has_given_positions(const side& one) {
  return std::any_of(one.inputs.begin(), one.inputs.end(),
                     [&](const side_input& input) { return takes_input(one.layer, input.name, counts_tokens); });
}

}  // namespace axismask::command
