// The `axismask` command line, as a function: a program that links layers of its own and calls this from main is the
// same command for those layers too.
#pragma once

namespace axismask {

// Runs the command with the arguments of `main` and returns its exit status: 0; 1 when `diff` finds that masks differ;
// 2 for an error, with one line on stderr. Throws nothing.
int command_line(int argc, const char* const* argv);

}  // namespace axismask
