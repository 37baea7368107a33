// The `axismask` command line, as a function: a program that links layers of its own and calls this from main is the
// same command for those layers too.
#pragma once

#include "axismask/declaration/linking.hpp"

// The command reads specs, whose types are all of the shipped layers.
AXISMASK_ASK_LINKER_FOR_OPTIONAL("axismask_library_axismask_layers");

namespace axismask {

// Runs the command with the arguments of `main` and returns its exit status: 0; 1 when `diff` finds that masks differ;
// 2 for an error, with one line on stderr. Throws nothing.
int command_line(int argc, const char* const* argv);

}  // namespace axismask
