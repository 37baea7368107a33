// The `axismask` command line: reads the arguments, hands them to a subcommand, and turns whatever goes wrong into one
// line on stderr.
#include "axismask/command.hpp"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <csignal>
#include <cstddef>
#include <cstdio>
#include <exception>
#include <new>
#include <string>
#include <string_view>
#include <type_traits>
#include <variant>
#include <vector>

#include "axismask/messages/error.hpp"
#include "axismask/messages/text.hpp"
#include "command/print.hpp"
#include "command/subcommands.hpp"

namespace axismask {
namespace {

using command::finish_output;
using command::on_one_line;

constexpr const char* see_help = "see axismask --help";

// Names in a sentence: "apply, inspect or diff".
std::string alternatives(const std::vector<command::subcommand>& subcommands) {
  std::string names;
  for (std::size_t index = 0; index < subcommands.size(); ++index) {
    if (index > 0) names += index + 1 < subcommands.size() ? ", " : " or ";
    names += subcommands[index].name;
  }
  return names;
}

// What there is instead of an option that `command` does not have.
error unknown_option(const std::string& name, const CLI::App& command) {
  std::vector<std::string_view> names;
  for (const CLI::Option* option : command.get_options()) {
    // A positional's name is not written.
    if (!option->get_positional()) names.emplace_back(option->get_lnames().front());
  }
  const std::string hint = did_you_mean(name.substr(std::min<std::size_t>(2, name.size())), names).str();
  const std::size_t quote = hint.find('"');
  return {"usage", name,
          "there is no such option" + (hint.empty() ? "" : hint.substr(0, quote + 1) + "--" + hint.substr(quote + 1)),
          see_help};
}

error unknown_command(const std::string& name, const std::vector<command::subcommand>& subcommands) {
  std::vector<std::string_view> names;
  for (const command::subcommand& known : subcommands) names.emplace_back(known.name);
  const std::string hint = did_you_mean(name, names).str();
  return {"usage", name, "there is no such command" + (hint.empty() ? "; there are " + quoted_list(names).str() : hint),
          see_help};
}

// What CLI11 found wrong with the arguments that are known, as one of our errors.
error wrong_argument(const CLI::App& command, const CLI::ParseError& problem) {
  const std::string text = problem.what();
  if (dynamic_cast<const CLI::RequiredError*>(&problem) != nullptr) {
    return {"usage", text.substr(0, text.find(' ')), "it is missing", see_help};
  }
  const std::size_t colon = text.find(": ");
  if (const std::size_t equals = text.find(" = ");
      dynamic_cast<const CLI::ConversionError*>(&problem) != nullptr && colon < equals && equals != std::string::npos) {
    return {"usage", text.substr(colon + 2, equals - colon - 2),
            "it is \"" + text.substr(equals + 3) + "\", which is no whole number", see_help};
  }
  if (colon == std::string::npos) return {"usage", command.get_name(), text, see_help};
  const std::string option = text.substr(0, colon);
  if (dynamic_cast<const CLI::ArgumentMismatch*>(&problem) != nullptr) {
    const CLI::Option* given = command.get_option_no_throw(option);
    const bool is_repeated = given != nullptr && given->count() > 1;
    return {"usage", option, is_repeated ? "it is given more than once" : "its value is missing", see_help};
  }
  return {"usage", option, text.substr(colon + 2), see_help};
}

error usage_error(const CLI::App& app, const std::vector<command::subcommand>& subcommands,
                  const CLI::ParseError& problem) {
  const auto commands = app.get_subcommands();
  const CLI::App& command = commands.empty() ? app : *commands.front();
  const std::vector<std::string> unknown = app.remaining(true);
  if (unknown.empty()) return wrong_argument(command, problem);
  // An argument that nobody knows is the cause of most other complaints, so it goes first.
  const std::string name = unknown.front().substr(0, unknown.front().find('='));
  if (name.starts_with("-")) return unknown_option(name, command);
  if (!commands.empty()) return {"usage", name, "it is one argument too many", see_help};
  return unknown_command(name, subcommands);
}

void add_argument(CLI::App& command, const command::argument& argument) {
  const auto add = [&]<class Value>(Value* value) {
    if constexpr (std::is_same_v<Value, bool>) {
      command.add_flag(argument.name, *value, argument.help);
    } else {
      CLI::Option* option = command.add_option(argument.name, *value, argument.help);
      option->type_name(argument.value_name)->required(argument.is_required);
      if constexpr (std::is_same_v<Value, std::vector<std::string>>) option->allow_extra_args(false);
    }
  };
  std::visit(add, argument.to);
}

// Gives the exit status.
int run(int argc, const char* const* argv) {
  CLI::App app(std::string(command::description), "axismask");
  app.require_subcommand(0, 1);  // none at all has a message of its own
  app.set_version_flag("--version", "axismask " AXISMASK_VERSION, "Print the version and exit");
  app.set_help_flag("-h,--help", "Print this help and exit");
  app.footer(std::string(command::footer));

  std::vector<command::subcommand> subcommands;
  for (const auto& subcommand : command::every_subcommand) subcommands.push_back(subcommand());
  int status = 0;
  for (const command::subcommand& subcommand : subcommands) {
    CLI::App* command = app.add_subcommand(subcommand.name, subcommand.help);
    for (const command::argument& argument : subcommand.arguments) add_argument(*command, argument);
    command->footer(subcommand.footer);
    command->callback([&] { status = subcommand.run(); });
  }

  try {
    app.parse(argc, argv);                // runs the subcommand
  } catch (const CLI::Success& wanted) {  // --help or --version
    app.exit(wanted);
    finish_output();
    return 0;
  } catch (const CLI::ParseError& problem) {
    throw usage_error(app, subcommands, problem);
  }
  if (app.get_subcommands().empty()) {
    throw error("usage", "axismask", "a command is missing: " + alternatives(subcommands), see_help);
  }
  return status;
}

}  // namespace

int command_line(int argc, const char* const* argv) {
  // A limit on file sizes is then an error of the write, like a full disk, and not the end of the program.
  std::signal(SIGXFSZ, SIG_IGN);
  std::string message;
  try {
    return run(argc, argv);
  } catch (const error& problem) {
    message = problem.what();
  } catch (const std::bad_alloc&) {
    message =
        "axismask: error[memory] axismask: the arrays need more memory than there is; use --in-place, or give "
        "smaller arrays";
  } catch (const std::exception& problem) {
    message = error("internal", "axismask", problem.what(), "report this: it is a mistake in axismask").what();
  }
  std::fputs((on_one_line(message) + "\n").c_str(), stderr);
  return 2;
}

}  // namespace axismask
