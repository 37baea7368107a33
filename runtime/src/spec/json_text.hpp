// Reads JSON of the user's files, so that messages can say where a mistake is, and writes it into messages.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>
#include <vector>

namespace axismask {

// The largest whole number of a spec: up to here JSON readers, which may use doubles, tell each whole number from the
// next. Edits take larger ones (edit_layer.cpp).
constexpr std::int64_t largest_count = (std::int64_t{1} << 53) - 1;

// A kind of file: what its mistakes are called, and their cures.
struct json_file {
  std::string_view open_id;
  std::string_view syntax_id;
  std::string_view duplicate_key_id;
  std::string_view number_id;  // a number beyond what 64-bit floats hold
  std::string_view name;       // "a model spec"
  std::string_view empty_cure;
  std::string_view infinity_cure;
  std::string_view number_cure;
  bool has_whole_floats;  // is 512.0 a whole number?
};

// Bounds for files of strangers, far above what any model needs: parsing takes some 17 bytes of memory for each of a
// text, and 200 for each level of nesting.
constexpr std::size_t largest_text = std::size_t{16} << 20;
constexpr std::size_t deepest_nesting = 512;

// Reads a file, at most `largest_text` bytes. Throws `error` kind.open_id, also for files that are known to be another
// thing: those of weights, and what Git LFS leaves in a file's place.
std::string read_text_file(const std::filesystem::path& file, const json_file& kind);

// What a text says. nlohmann::json takes memory to free values that lie in another, and ends the program where there is
// none: a document is freed without.
struct json_freer {
  void operator()(nlohmann::json* document) const noexcept;
};
using json_document = std::unique_ptr<nlohmann::json, json_freer>;

// Parses a text; `source` stands for the file in messages. Throws `error` for whatever is not JSON, for an object that
// has a key twice, and beyond the bounds above.
json_document parse_json(std::string_view text, const std::string& source, const json_file& kind);

// The same of a text that the library brings, which has no mistakes.
json_document parse_own_json(std::string_view text);

// The same for what Python's json module writes and reads, in files of which only a part matters. NaN, Infinity,
// -Infinity and numbers beyond 64-bit floats become values that no reader takes for anything, and `in_words` names.
// Keys that are there twice have their last value, and their pointers are added to `duplicates`.
json_document parse_python_json(std::string_view text, const std::string& source, const json_file& kind,
                                std::vector<std::string>& duplicates);

// A text of the user's, on one line: escaped as JSON escapes it.
std::string escaped(std::string_view text);
// The same, and cut when it is long.
std::string shortened(std::string_view text, std::size_t longest);
std::string in_quotes(std::string_view text);
// A value after "it is".
std::string in_words(const nlohmann::json& value);

// One more step of a JSON pointer (RFC 6901). Control characters are escaped, because a message is one line.
std::string step(std::string_view key);
std::string step(std::size_t index);

}  // namespace axismask
