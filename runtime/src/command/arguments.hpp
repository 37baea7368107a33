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

namespace axismask::command {

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

  std::vector<named_file> files;
  std::vector<side_input> inputs;
};

// Where a mistake is, for who typed the command. The runtime speaks of the arguments of its calls; here they are
// options, and a layer's attributes are places in the spec.
std::string place_in_command(const std::string& where, const any_layer& layer, std::span<const side_input> inputs);

// Calls a function of the runtime whose errors have an argument's name as their place, which here is an option.
template <class Call>
decltype(auto) with_place(const std::string& argument, const std::string& option, Call call) {
  try {
    return call();
  } catch (const error& problem) {
    throw error(problem.id(), problem.where() == argument ? option : problem.where(), problem.what_is_wrong(),
                problem.cure());
  }
}

}  // namespace axismask::command
