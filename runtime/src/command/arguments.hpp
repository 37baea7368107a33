// The arguments that subcommands share, and where in them an error of the runtime lies.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "axismask/messages/error.hpp"
#include "axismask/model.hpp"
#include "axismask/npy.hpp"
#include "command/subcommand.hpp"

namespace axismask::command {

// Arguments that several subcommands have. Each writes its value to what it is given.
argument spec_argument(std::string& path);
argument config_argument(std::string& path);
argument layer_argument(std::string& name);
argument inputs_argument(std::vector<std::string>& named_files);
argument strict_argument(bool& is_wanted);
argument json_argument(bool& is_wanted, const std::string& help = "Print JSON");

// `FILE.npy:axis,axis,...`, read.
struct named_file {
  std::vector<std::string> axes;
  npy_array array;

  // The names of its axes are those in `axes`.
  [[nodiscard]] any_view view() const {
    const std::vector<std::string_view> names(axes.begin(), axes.end());
    return array.view(names);
  }
};

// `option` is what the argument stands for, in messages: "--logits", "--input token_positions".
named_file read_named_file(const std::string& option, const std::string& argument, std::optional<dtype> as);

// The side inputs that `--input NAME=FILE.npy:axis,...` names, and their memory.
struct named_inputs {
  explicit named_inputs(const std::vector<std::string>& arguments);

  // Those that the layer takes as masks become bool. Throws `error` mask-value.
  void read_masks_of(const any_layer& layer);

  std::vector<named_file> files;
  std::vector<side_input> inputs;
};

// The layer of that name, which `option` gives.
const any_layer& named_layer(const Model& model, const std::string& name, const std::string& option);

// Does a layer take a side input of that name, for an attribute of that kind?
bool takes_input(
    const any_layer& layer, std::string_view input,
    bool (*is_of_kind)(const attribute_record&) = [](const attribute_record& one) { return is_side_input(one.kind); });

// The WHERE of an error as the user of the command knows it. The runtime names the arguments of its calls: here they
// are options, and a layer's attributes are JSON pointers into the spec.
std::string place_in_command(const error& problem, const any_layer& layer, std::span<const side_input> inputs);

// Calls a function that runs or reads a layer. Its errors are thrown with their WHERE in the command.
template <class Call>
decltype(auto) with_places_in_command(const any_layer& layer, std::span<const side_input> inputs, Call call) {
  try {
    return call();
  } catch (const error& problem) {
    throw problem.at(place_in_command(problem, layer, inputs));
  }
}

}  // namespace axismask::command
