// The program that writes the command's man page and its completions for shells, from the records of the subcommands.
// It runs at build time:
//   axismask_pages man|bash|zsh|fish FILE
#include <algorithm>
#include <fstream>
#include <functional>
#include <iostream>
#include <map>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "command/subcommands.hpp"

namespace axismask::command {
namespace {

std::vector<subcommand> all_subcommands() {
  std::vector<subcommand> all;
  for (const auto& one : every_subcommand) all.push_back(one());
  return all;
}

std::string replaced(std::string text, std::string_view from, std::string_view to) {
  for (std::size_t at = text.find(from); at != std::string::npos; at = text.find(from, at + to.size())) {
    text.replace(at, from.size(), to);
  }
  return text;
}

bool is_option(const argument& one) { return one.name.starts_with("-"); }
bool is_flag(const argument& one) { return std::holds_alternative<bool*>(one.to); }
// "--layer", as zsh and fish want it without the dashes.
std::string bare(const argument& one) { return one.name.substr(one.name.find_first_not_of('-')); }

// ------------------------------------------------------------------------------------------------------- The man page

// Text of a man page: lines of their own must not begin like a request of roff.
std::string roff(std::string text) {
  text = replaced(std::move(text), "\\", "\\e");
  text = replaced(std::move(text), "-", "\\-");
  text = replaced("\n" + text, "\n.", "\n\\&.");
  return replaced(std::move(text), "\n'", "\n\\&'").substr(1);
}

std::string usage(const subcommand& one) {
  std::string line = "axismask " + one.name;
  for (const argument& argument : one.arguments) {
    const std::string words = argument.name + (argument.value_name.empty() ? "" : " " + argument.value_name);
    line += argument.is_required ? " " + words : " [" + words + "]";
  }
  return line;
}

std::string man_page() {
  std::string page =
      ".TH AXISMASK 1 \"\" \"axismask " AXISMASK_VERSION "\" \"User Commands\"\n.SH NAME\naxismask \\- " +
      roff("attention masks for logits") + "\n.SH SYNOPSIS\n.B axismask\n.I COMMAND\n[\\fIarguments\\fR]\n" +
      ".SH DESCRIPTION\n" + roff(std::string(description)) + "\n.SH COMMANDS\n";
  for (const subcommand& one : all_subcommands()) {
    page += ".SS " + one.name + "\n" + roff(one.help) + "\n.PP\n" + roff(usage(one)) + "\n";
    for (const argument& argument : one.arguments) {
      page += ".TP\n.BR \"" + roff(argument.name) + "\"" +
              (argument.value_name.empty() ? "" : " \" \\fI" + roff(argument.value_name) + "\\fR\"") + "\n" +
              roff(argument.help) + "\n";
    }
    page += ".PP\n.nf\n" + roff(one.footer) + "\n.fi\n";
  }
  return page +
         ".SH OPTIONS\n.TP\n.B \\-h\\fR, \\fB\\-\\-help\nPrint this help, or that of a command\n.TP\n.B "
         "\\-\\-version\nPrint the version and exit\n.SH NOTES\n.nf\n" +
         roff(std::string(footer)) + "\n.fi\n";
}

// ------------------------------------------------------------------------------------------------------- Completions

std::string bash_completion() {
  std::string names;
  std::string cases;
  for (const subcommand& one : all_subcommands()) {
    names += one.name + " ";
    cases += "    " + one.name + ") options=\"";
    for (const argument& argument : one.arguments) {
      if (is_option(argument)) cases += argument.name + " ";
    }
    cases += "--help\" ;;\n";
  }
  return "# Completion of axismask for bash; what is no option is a file.\n_axismask() {\n"
         "  local word=${COMP_WORDS[COMP_CWORD]} options=\"" +
         names + "--help --version\"\n  COMPREPLY=()\n  case ${COMP_WORDS[1]} in\n" + cases +
         "  esac\n  if ((COMP_CWORD == 1)); then\n    options=\"" + names +
         "--help --version\"\n  elif [[ $word != -* ]]; then\n    return\n  fi\n"
         "  COMPREPLY=($(compgen -W \"$options\" -- \"$word\"))\n}\ncomplete -o default -F _axismask axismask\n";
}

// A word in single quotes. zsh takes brackets and colons in the text of an option for its own.
std::string quoted(std::string text) { return "'" + replaced(std::move(text), "'", "'\\''") + "'"; }
std::string zsh_text(std::string text) {
  for (const std::string_view sign : {"\\", "[", "]", ":"}) {
    text = replaced(std::move(text), sign, "\\" + std::string(sign));
  }
  return text;
}

std::string zsh_completion() {
  std::string names;
  std::string cases;
  for (const subcommand& one : all_subcommands()) {
    names += "    " + quoted(one.name + ":" + zsh_text(one.help)) + "\n";
    cases += "    " + one.name + ") _arguments";
    for (const argument& argument : one.arguments) {
      if (!is_option(argument)) continue;
      const std::string value = is_flag(argument) ? "" : ":" + zsh_text(argument.value_name) + ":_files";
      cases += " \\\n      " + quoted("*" + argument.name + "[" + zsh_text(argument.help) + "]" + value);
    }
    cases += " \\\n      '--help[Print its help]' '*:file:_files' ;;\n";
  }
  return "#compdef axismask\n# Completion of axismask for zsh.\n_axismask() {\n  local -a commands=(\n" + names +
         "  )\n  if ((CURRENT == 2)); then\n    _describe command commands\n    return\n  fi\n"
         "  local command=$words[2]\n  shift words\n  ((CURRENT--))\n  case $command in\n" +
         cases + "  esac\n}\n_axismask \"$@\"\n";
}

std::string fish_text(std::string text) {
  return "'" + replaced(replaced(std::move(text), "\\", "\\\\"), "'", "\\'") + "'";
}

std::string fish_completion() {
  std::string page = "# Completion of axismask for fish.\n";
  for (const subcommand& one : all_subcommands()) {
    page += "complete -c axismask -n __fish_use_subcommand -f -a " + one.name + " -d " + fish_text(one.help) + "\n";
    for (const argument& argument : one.arguments) {
      if (!is_option(argument)) continue;
      page += "complete -c axismask -n '__fish_seen_subcommand_from " + one.name + "' -l " + bare(argument) +
              (is_flag(argument) ? "" : " -r") + " -d " + fish_text(argument.help) + "\n";
    }
  }
  return page;
}

}  // namespace
}  // namespace axismask::command

int main(int argc, char** argv) {
  namespace command = axismask::command;
  const std::map<std::string_view, std::function<std::string()>> forms{{"man", command::man_page},
                                                                       {"bash", command::bash_completion},
                                                                       {"zsh", command::zsh_completion},
                                                                       {"fish", command::fish_completion}};
  const auto form = argc == 3 ? forms.find(argv[1]) : forms.end();
  if (form == forms.end()) {
    std::cerr << "axismask_pages: give man, bash, zsh or fish, and the file to write\n";
    return 2;
  }
  std::ofstream out(argv[2]);
  out << form->second();
  if (out.flush()) return 0;
  std::cerr << "axismask_pages: cannot write " << argv[2] << "\n";
  return 2;
}
