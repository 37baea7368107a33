// The subcommands of `axismask`, one a file. Each function adds one to the program: its options, its help, and what it
// does when it is parsed. What goes wrong then is thrown as axismask::error.
#pragma once

#include <CLI/CLI.hpp>

namespace axismask::command {

void add_apply(CLI::App& app);
void add_inspect(CLI::App& app);
void add_show(CLI::App& app);
void add_plan(CLI::App& app);
void add_kernels(CLI::App& app);
void add_import(CLI::App& app);
void add_explain(CLI::App& app);
// Of two masks that differ it makes the exit status 1.
void add_diff(CLI::App& app, int& status);

}  // namespace axismask::command
