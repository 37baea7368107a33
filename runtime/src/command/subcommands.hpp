// The subcommands of `axismask`, each in a file of its name. A new one needs its file and, here, two lines.
//
// The room command/ reads what was typed, calls the library and prints. It may include every room and none includes it;
// what a program that links the library could want stands in another room. command.cpp alone knows CLI11.
#pragma once

#include <array>
#include <string_view>

#include "command/subcommand.hpp"

namespace axismask::command {

subcommand apply_subcommand();
subcommand attend_subcommand();
subcommand inspect_subcommand();
subcommand show_subcommand();
subcommand plan_subcommand();
subcommand mask_subcommand();
subcommand kernels_subcommand();
subcommand import_subcommand();
subcommand explain_subcommand();
subcommand diff_subcommand();

// What the help says of the whole command.
inline constexpr std::string_view description =
    "Attention masks for logits: applies the mask layers of a model spec to arrays in .npy files.";
inline constexpr std::string_view footer =
    "Exit status: 0; 1 if diff finds that masks differ; 2 for what is wrong, with one line on stderr:\n"
    "axismask: error[ID] WHERE: what is wrong; the cure.\n"
    "`axismask COMMAND --help` has more about a command, with an example.\n"
    "Example:\n"
    "  axismask inspect model.json";

// In the order of the help.
inline constexpr std::array every_subcommand{
    apply_subcommand, attend_subcommand,  inspect_subcommand, show_subcommand,    plan_subcommand,
    mask_subcommand,  kernels_subcommand, import_subcommand,  explain_subcommand, diff_subcommand};

}  // namespace axismask::command
