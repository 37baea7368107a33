// What the subcommands print: tables, JSON, texts on one line.
#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "axismask/huggingface.hpp"

namespace axismask::command {

using json = nlohmann::ordered_json;

// A message, a table's row: names of the user's that have line breaks in them must not break it.
std::string on_one_line(std::string_view text);

using row = std::vector<std::string>;

// Columns of texts, each as wide as its widest text; the first row is the header.
void print_table(std::vector<row> rows);

// Names of files and layers may be any bytes; JSON is UTF-8. The files that make JSON include <nlohmann/json.hpp>; to
// write it takes a compiler so long that it is done here alone.
void print_json(const json& value);
// On one line: "512".
std::string json_text(const json& value);

// Throws an error when what was printed has not all arrived.
void finish_output();

// Each on a line of stderr.
void print_warnings(const std::vector<huggingface::warning>& warnings);

std::string joined(const std::vector<std::string>& texts, std::string_view separator);

}  // namespace axismask::command
