// A subcommand as data: its name, its help, its arguments and what it does. command.cpp makes the command line of
// these; nothing else knows by which library.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace axismask::command {

// Where an argument's value goes. What goes to a bool is a flag; what goes to a vector may be given any number of
// times.
using destination =
    std::variant<std::string*, std::vector<std::string>*, int*, std::int64_t*, std::optional<std::int64_t>*, bool*>;

struct argument {
  std::string name;  // "--layer"; one without dashes is known by its order
  destination to;
  std::string value_name;  // in the help: "NAME"; none for flags and for what has no dashes
  std::string help;
  bool is_required = false;
};
inline constexpr bool required = true;

struct subcommand {
  std::string name;
  std::string help;
  std::vector<argument> arguments;  // in the order of the help
  std::string footer;               // the help's last lines: what else there is to know, and an example
  // Gives the exit status; what goes wrong is thrown as axismask::error. It owns what the arguments' values go to.
  std::function<int()> run;
};

}  // namespace axismask::command
