// The `axismask` command line, as a function: a program that links layers of its own and calls this from main is the
// same command for those layers too.
#pragma once

namespace axismask {

// Runs the command and returns the exit status: 0; 1 for masks that differ; 2 with one line on stderr. Throws nothing.
int command_line(int argc, const char* const* argv);

}  // namespace axismask
