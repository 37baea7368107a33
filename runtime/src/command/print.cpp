// What the subcommands print: tables, JSON, texts on one line.
#include "command/print.hpp"

#include <algorithm>
#include <cstddef>
#include <iostream>
#include <nlohmann/json.hpp>

#include "axismask/messages/error.hpp"

namespace axismask::command {

std::string on_one_line(std::string_view text) {
  std::string result(text);
  std::replace_if(result.begin(), result.end(), [](unsigned char c) { return c < ' ' || c == 127; }, ' ');
  return result;
}

namespace {

// How many characters a text has, if it is UTF-8.
std::size_t character_count(std::string_view text) {
  return static_cast<std::size_t>(
      std::count_if(text.begin(), text.end(), [](unsigned char c) { return (c & 0xC0) != 0x80; }));
}

}  // namespace

void print_table(std::vector<row> rows) {
  std::vector<std::size_t> widths(rows.front().size(), 0);
  for (row& one : rows) {
    for (std::size_t column = 0; column < one.size(); ++column) {
      one[column] = on_one_line(one[column]);
      widths[column] = std::max(widths[column], character_count(one[column]));
    }
  }
  for (const row& one : rows) {
    std::string line;
    for (std::size_t column = 0; column < one.size(); ++column) {
      line += one[column] + std::string(widths[column] - character_count(one[column]) + 2, ' ');
    }
    line.erase(line.find_last_not_of(' ') + 1);
    std::cout << line << '\n';
  }
}

void print_json(const json& value) { std::cout << value.dump(2, ' ', false, json::error_handler_t::replace) << '\n'; }

std::string json_text(const json& value) { return value.dump(); }

void finish_output() {
  if (!std::cout.flush()) {
    throw error("output", "stdout", "the output cannot be written", "make room, or write to another place");
  }
}

void print_warnings(const std::vector<huggingface::warning>& warnings) {
  for (const huggingface::warning& one : warnings) std::cerr << on_one_line(one.line()) << '\n';
}

std::string joined(const std::vector<std::string>& texts, std::string_view separator) {
  std::string result;
  for (const std::string& text : texts) {
    if (!result.empty()) result += separator;
    result += text;
  }
  return result;
}

}  // namespace axismask::command
