// The arguments that subcommands share, and where in them an error of the runtime lies.
#include "command/arguments.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <utility>

#include "axismask/messages/text.hpp"
#include "files/npy_elements.hpp"

namespace axismask::command {
namespace {

// The option for what a call was given, beside the side inputs; none for other places.
std::optional<std::string> option_for(const error& problem) {
  const std::string& where = problem.where();
  if (problem.id() == "plan-tile") return "--tile";
  if (problem.id() == "mask-index") return "--at";
  if (problem.id() == "mask-size") return where == "queries" ? "--seq" : "--kv-seq";
  if (where == "logits" || where == "out" || where == "form" || where == "tile" || where == "pages")
    return "--" + where;
  if (where == "heads_axis") return "--heads";
  return std::nullopt;
}

}  // namespace

argument spec_argument(std::string& path) { return {"SPEC", &path, "", "The model spec, a JSON file", required}; }

argument config_argument(std::string& path) { return {"HF_CONFIG", &path, "", "The model's config.json", required}; }

argument layer_argument(std::string& name) {
  return {"--layer", &name, "NAME", "The layer's name in the spec", required};
}

argument inputs_argument(std::vector<std::string>& named_files) {
  return {"--input", &named_files, "NAME=FILE.npy:AXIS,...",
          "A side input and the names of its axes; once for each side input"};
}

argument strict_argument(bool& is_wanted) { return {"--strict", &is_wanted, "", "Take each warning for an error"}; }

argument json_argument(bool& is_wanted, const std::string& help) { return {"--json", &is_wanted, "", help}; }

named_file read_named_file(const std::string& option, const std::string& argument, std::optional<dtype> as) {
  const std::size_t colon = argument.rfind(':');  // the last: a file's name may have others
  if (colon == std::string::npos || colon == 0) {
    throw error("usage", option, "\"" + argument + "\" is not FILE.npy:axis,axis,...",
                "name each axis of the file's array after a colon, in the file's order");
  }
  named_file result;
  std::string_view rest = std::string_view(argument).substr(colon + 1);
  while (!rest.empty()) {
    const std::size_t comma = rest.find(',');
    result.axes.emplace_back(rest.substr(0, comma));
    // A comma at the end leaves an empty name.
    if (comma == rest.size() - 1) result.axes.emplace_back();
    rest.remove_prefix(comma == std::string_view::npos ? rest.size() : comma + 1);
  }
  if (std::find(result.axes.begin(), result.axes.end(), "") != result.axes.end()) {
    throw error("usage", option, "the name of an axis is empty in \"" + argument + "\"",
                "put one comma between two names");
  }

  result.array = read_npy(argument.substr(0, colon), as);
  const std::size_t rank = result.array.sizes.size();
  if (rank != result.axes.size()) {
    const std::vector<std::string_view> names(result.axes.begin(), result.axes.end());
    throw error("axis-count", option,
                "the array has the shape " + shape_text(result.array.sizes) + ", and " +
                    std::to_string(result.axes.size()) + (result.axes.size() == 1 ? " axis is" : " axes are") +
                    " named: " + quoted_list(names).str(),
                "name each axis of the file's array, in the file's order");
  }
  return result;
}

named_inputs::named_inputs(const std::vector<std::string>& arguments) {
  for (const std::string& argument : arguments) {
    const std::size_t equals = argument.find('=');
    if (equals == std::string::npos || equals == 0) {
      throw error("usage", "--input", "\"" + argument + "\" is not NAME=FILE.npy:axis,...",
                  "give the side input's name, as the layer has it, before the file");
    }
    const std::string_view name = std::string_view(argument).substr(0, equals);
    files.push_back(read_named_file("--input " + std::string(name), argument.substr(equals + 1), std::nullopt));
    inputs.push_back({name, {}});
  }
  for (std::size_t index = 0; index < inputs.size(); ++index) inputs[index].array = files[index].view();
}

void named_inputs::read_masks_of(const any_layer& layer) {
  for (std::size_t index = 0; index < inputs.size(); ++index) {
    const std::string_view name = inputs[index].name;
    const auto is_mask = [](const attribute_record& one) { return one.kind == attribute_kind::mask; };
    if (!takes_input(layer, name, is_mask)) continue;
    files[index].array = as_mask(std::move(files[index].array), "--input " + std::string(name));
    inputs[index].array = files[index].view();
  }
}

const any_layer& named_layer(const Model& model, const std::string& name, const std::string& option) {
  try {
    return model.layer(name);
  } catch (const error& problem) {
    throw problem.at(option);
  }
}

bool takes_input(const any_layer& layer, std::string_view input, bool (*is_of_kind)(const attribute_record&)) {
  for (std::size_t index = 0; index < layer.type().attributes.size(); ++index) {
    if (is_of_kind(layer.type().attributes[index]) && layer.values().attributes[index].name == input) return true;
  }
  return false;
}

std::string place_in_command(const error& problem, const any_layer& layer, std::span<const side_input> inputs) {
  if (const std::optional<std::string> option = option_for(problem)) return *option;
  const std::string& where = problem.where();
  for (const side_input& input : inputs) {
    if (where == input.name) return "--input " + where;
  }
  if (where == "device") return "--device";
  const std::string& pointer = layer.place();
  const composition how = layer.type().how;
  std::string mask = pointer + "/" + std::string(key_of(how));
  if (where == layer.type().name) return mask;
  for (std::size_t index = 0; index < layer.type().attributes.size(); ++index) {
    const attribute_record& attribute = layer.type().attributes[index];
    if (is_side_input(attribute.kind) && where == layer.values().attributes[index].name) return "--input " + where;
    if (where != attribute.name) continue;
    // Several parts of a composed layer may have an attribute of that name.
    return how != composition::none && attribute.kind != attribute_kind::masked_value ? mask + ": " + where
                                                                                      : pointer + "/" + where;
  }
  return where;
}

}  // namespace axismask::command
