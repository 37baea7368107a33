// The subcommands of `axismask`, each in a file of its name. A new one needs its file and, here, two lines.
//
// The room command/ reads what was typed, calls the library and prints. It may include every room and none includes it;
// what a program that links the library could want stands in another room. command.cpp alone knows CLI11.
#pragma once

#include <array>

#include "command/subcommand.hpp"

namespace axismask::command {

subcommand apply_subcommand();
subcommand inspect_subcommand();
subcommand show_subcommand();
subcommand plan_subcommand();
subcommand mask_subcommand();
subcommand kernels_subcommand();
subcommand import_subcommand();
subcommand explain_subcommand();
subcommand diff_subcommand();

// In the order of the help.
inline constexpr std::array every_subcommand{apply_subcommand,  inspect_subcommand, show_subcommand,
                                             plan_subcommand,   mask_subcommand,    kernels_subcommand,
                                             import_subcommand, explain_subcommand, diff_subcommand};

}  // namespace axismask::command
