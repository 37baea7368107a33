// JSON in the user's files: the parser's errors with the place and, for the most usual ones, the cure.
#include "spec/json_text.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <clocale>
#include <cmath>
#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <nlohmann/json.hpp>
#include <system_error>
#include <utility>
#include <vector>

#include "axismask/messages/error.hpp"

namespace axismask {

using nlohmann::json;

std::string escaped(std::string_view text) {
  const std::string dumped = json(text).dump(-1, ' ', false, json::error_handler_t::replace);
  // JSON lets DEL and the control characters U+0080 to U+009F stand, and a terminal may obey them.
  std::string result;
  for (std::size_t at = 1; at + 1 < dumped.size(); ++at) {
    const auto byte = static_cast<unsigned char>(dumped[at]);
    const auto next = static_cast<unsigned char>(dumped[at + 1]);
    if (byte == 0x7f) {
      result += "\\u007f";
    } else if (byte == 0xc2 && next < 0xa0) {
      constexpr std::string_view digits = "0123456789abcdef";
      result += std::string("\\u00") + digits[next >> 4U] + digits[next & 15U];
      ++at;
    } else {
      result += dumped[at];
    }
  }
  return result;
}

std::string shortened(std::string_view text, std::size_t longest) {
  std::size_t end = text.size();
  if (end > longest) {
    end = longest;
    while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80) --end;  // not within a character
  }
  return escaped(text.substr(0, end)) + (end < text.size() ? "..." : "");
}

std::string in_quotes(std::string_view text) { return "\"" + shortened(text, 80) + "\""; }

namespace {

// What stands for a number that JSON does not have: a text that begins with this character, and goes on with as much of
// the number as leaves all of the text's places as they are.
constexpr char no_json_number = '\x7f';

// "NaN", of the text that stands for it.
std::string number_in_words(std::string_view rest) {
  if (rest.empty()) return "NaN";
  if (rest.front() == 'I') return "Infinity";
  if (rest.starts_with("-I")) return "-Infinity";
  return "a number beyond what 64-bit floats hold";
}

}  // namespace

std::string in_words(const json& value) {
  if (value.is_string() && value.get_ref<const std::string&>().starts_with(no_json_number)) {
    return number_in_words(std::string_view(value.get_ref<const std::string&>()).substr(1));
  }
  if (value.is_string()) return "the text " + in_quotes(value.get_ref<const std::string&>());
  if (value.is_array()) return "an array";
  if (value.is_object()) return "an object";
  return value.dump();
}

std::string step(std::string_view key) {
  std::string result = "/";
  for (const char character : escaped(key)) {
    if (character == '~') {
      result += "~0";
    } else if (character == '/') {
      result += "~1";
    } else {
      result += character;
    }
  }
  return result;
}

std::string step(std::size_t index) { return "/" + std::to_string(index); }

namespace {

// Frees what lies in a value, the innermost first, so that none of nlohmann's destructors finds anything to take memory
// for. No deeper than `deepest_nesting`.
void free_from_within(json& value) noexcept {
  if (auto* const list = value.get_ptr<json::array_t*>(); list != nullptr) {
    for (json& one : *list) free_from_within(one);
    list->clear();
  } else if (auto* const members = value.get_ptr<json::object_t*>(); members != nullptr) {
    for (auto& member : *members) free_from_within(member.second);
    members->clear();
  }
}

// Makes the document of what the parser reads (the interface is nlohmann's, of its SAX parser), and knows the place.
class document_reader {
 public:
  // `duplicates` takes the pointers of keys that are there twice. Without it they are errors: JSON allows them, and
  // readers then disagree about which one counts.
  document_reader(const json_file& kind, const std::string& source, std::vector<std::string>* duplicates)
      : kind_(kind), source_(source), duplicates_(duplicates), document_(new json) {}

  bool null() { return add(json()); }
  bool boolean(bool value) { return add(json(value)); }
  bool number_integer(std::int64_t value) { return add(json(value)); }
  bool number_unsigned(std::uint64_t value) { return add(json(value)); }
  // 512.0 is a whole number in JSON Schema, and so in every editor; in nlohmann::json it is not. Minus
  // zero stays, because it is a value of its own.
  bool number_float(double number, const std::string&) {
    const bool is_whole = kind_.has_whole_floats && number != 0 && std::trunc(number) == number &&
                          std::abs(number) <= static_cast<double>(largest_count);
    return add(is_whole ? json(static_cast<std::int64_t>(number)) : json(number));
  }
  bool string(std::string& text) { return add(json(std::move(text))); }
  static bool binary(const json::binary_t&) { return false; }  // JSON has none

  bool start_object(std::size_t) { return open(json::value_t::object); }
  bool start_array(std::size_t) { return open(json::value_t::array); }
  bool end_object() { return close(); }
  bool end_array() { return close(); }

  bool key(std::string& text) {
    container& in = open_.back();
    in.key = std::move(text);
    if (!in.value->contains(in.key)) return true;
    if (duplicates_ == nullptr) {
      throw error(std::string(kind_.duplicate_key_id), pointer(), "the key " + in_quotes(in.key) + " is there twice",
                  "leave one of the two out");
    }
    duplicates_->push_back(pointer());
    return true;
  }

  template <class Fault>
  static bool parse_error(std::size_t, const std::string&, const Fault& fault) {
    throw fault;
  }

  // Of the value that is read next.
  [[nodiscard]] std::string pointer() const {
    std::string result;
    for (const container& one : open_) {
      const std::size_t next = one.value->size() - (&one == &open_.back() ? 0 : 1);
      result += one.value->is_array() ? step(next) : step(one.key);
    }
    return result;
  }

  [[nodiscard]] json_document take() { return std::move(document_); }

 private:
  struct container {
    json* value;
    std::string key{};
  };

  json& put(json&& value) {
    json* place = document_.get();
    if (!open_.empty()) {
      container& in = open_.back();
      if (in.value->is_array()) {
        in.value->push_back(std::move(value));
        return in.value->back();
      }
      place = &(*in.value)[in.key];
      free_from_within(*place);  // of a key that was there before
    }
    *place = std::move(value);
    return *place;
  }

  bool add(json&& value) {
    put(std::move(value));
    return true;
  }

  bool open(json::value_t type) {
    if (open_.size() == deepest_nesting) {
      throw error(std::string(kind_.syntax_id), source_,
                  "it is nested more than " + std::to_string(deepest_nesting) + " deep, which " +
                      std::string(kind_.name) + " is not",
                  "give the file of " + std::string(kind_.name));
    }
    open_.push_back({&put(json(type))});
    return true;
  }

  bool close() {
    open_.pop_back();
    return true;
  }

  const json_file& kind_;
  const std::string& source_;
  std::vector<std::string>* duplicates_;
  json_document document_;
  std::vector<container> open_;
};

// `line 3, column 7` of a byte, counted from 0. Columns count characters.
std::string line_and_column(std::string_view text, std::size_t byte) {
  text = text.substr(0, byte);
  const auto line = 1 + std::count(text.begin(), text.end(), '\n');
  if (const std::size_t newline = text.rfind('\n'); newline != std::string_view::npos) text.remove_prefix(newline + 1);
  const auto column =
      1 + std::count_if(text.begin(), text.end(), [](unsigned char byte_) { return (byte_ & 0xC0) != 0x80; });
  return "line " + std::to_string(line) + ", column " + std::to_string(column);
}

// The parser's own words about a fault, `unexpected '}'; expected string literal`, as what is wrong and the cure.
std::pair<std::string, std::string> parser_words(std::string_view message) {
  if (const std::size_t start = message.find(" - "); start != std::string_view::npos) message.remove_prefix(start + 3);
  std::string cure = "write it as JSON has it";
  if (const std::size_t start = message.find("; expected "); start != std::string_view::npos) {
    const std::string_view wanted = message.substr(start + std::strlen("; expected "));
    message = message.substr(0, start);
    // The parser forgets the comma, which is what most often is missing.
    const bool is_end = wanted == "'}'" || wanted == "']'";
    cure = "put there what JSON expects: " + std::string(is_end ? "',' or " : "") + std::string(wanted);
  }
  message = message.substr(0, message.find("; last read: "));
  if (message == "invalid literal") return {"a word or sign that it does not have", cure};
  std::string what(message);
  std::replace(what.begin(), what.end(), ';', ',');
  return {what, cure};
}

// A fault in the text, for the most usual ones with the cure. `end` is how far the parser had read.
error not_json(std::string_view text, const std::string& source, const json_file& kind, std::size_t end,
               std::string_view message) {
  constexpr std::string_view blanks = " \t\r\n";
  const auto say = [&](const std::string& what, std::string_view cure) {
    return error(std::string(kind.syntax_id), source, what, std::string(cure));
  };
  if (text.find_first_not_of(blanks) == std::string_view::npos) {
    return say("the file is empty", kind.empty_cure);
  }
  if (end > text.size()) {
    const std::size_t last = text.find_last_not_of(blanks);
    return say("the file ends at " + line_and_column(text, last) + ", before its JSON does",
               "close what is open there, or get the whole file");
  }
  const std::size_t fault = end == 0 ? 0 : end - 1;
  const std::string here = line_and_column(text, fault) + " is not JSON: ";
  const char found = text[fault];
  const char before = fault == 0 ? ' ' : text[fault - 1];
  if (found == '}' || found == ']') {
    const std::size_t last = text.substr(0, fault).find_last_not_of(blanks);
    if (last != std::string_view::npos && text[last] == ',') {
      return say(here + "a comma stands before the closing " + found, "take that comma out");
    }
  }
  if (before != '\\') {
    if (found == '/') return say(here + "it has no comments", "take the comment out");
    if (found == '\'') return say(here + "a text stands between double quotes", "write \" in the place of '");
    if (found == 'N' || found == 'I' || found == 'i' || (before == 'n' && found == 'a')) {
      return say(here + "it has no infinity and no NaN", kind.infinity_cure);
    }
  }
  const auto [what, cure] = parser_words(message);
  return say(here + what, cure);
}

}  // namespace

namespace {

void check_size(std::size_t bytes, const std::string& source, const json_file& kind) {
  if (bytes <= largest_text) return;
  throw error(
      std::string(kind.open_id), source,
      "it has more than " + std::to_string(largest_text >> 20U) + " MiB, which " + std::string(kind.name) + " has not",
      "give the file of " + std::string(kind.name));
}

json_document parse(std::string_view text, const std::string& source, const json_file& kind,
                    std::vector<std::string>* duplicates) {
  check_size(text.size(), source, kind);
  // The parser takes this byte for the end, and what follows would be in the file and in no layer.
  if (const std::size_t at = text.find('\0'); at != std::string_view::npos) {
    throw error(std::string(kind.syntax_id), source,
                line_and_column(text, at) + " is not JSON: a byte that is 0 stands there",
                "take it out, or get the file again");
  }
  document_reader reader(kind, source, duplicates);
  try {
    json::sax_parse(text, &reader);
    return reader.take();
  } catch (const json::parse_error& fault) {
    throw not_json(text, source, kind, fault.byte, fault.what());
  } catch (const json::out_of_range& fault) {  // the one that the parser throws: "number overflow parsing '1e400'"
    const std::string_view message = fault.what();
    const std::size_t start = std::min(message.find('\''), message.size() - 1) + 1;
    const std::string number = in_quotes(message.substr(start, message.rfind('\'') - start));
    const std::string pointer = reader.pointer();
    throw error(std::string(kind.number_id), pointer.empty() ? source : pointer,
                "the number " + number.substr(1, number.size() - 2) + " is beyond what 64-bit floats hold",
                std::string(kind.number_cure));
  }
}

// The word or number that begins at `start`, outside of texts.
std::string_view word_at(std::string_view text, std::size_t start) {
  constexpr std::string_view ends = " \t\r\n,:[]{}\"";
  return text.substr(start, text.find_first_of(ends, start) - start);
}

// Does a 64-bit float not hold the number? It has an exponent then, or more digits than any.
bool is_beyond_floats(std::string_view number) {
  if (number.size() < 300 && number.find_first_of("eE") == std::string_view::npos) return false;
  std::string copy(number);
  if (const std::size_t point = copy.find('.'); point != std::string::npos) {
    copy.replace(point, 1, std::localeconv()->decimal_point);  // as strtod has it
  }
  char* end = nullptr;
  const double value = std::strtod(copy.c_str(), &end);
  return end == copy.c_str() + copy.size() && std::isinf(value);
}

}  // namespace

void json_freer::operator()(json* document) const noexcept {
  free_from_within(*document);
  delete document;
}

json_document parse_json(std::string_view text, const std::string& source, const json_file& kind) {
  return parse(text, source, kind, nullptr);
}

json_document parse_own_json(std::string_view text) {
  static constexpr json_file own{};
  return parse(text, "", own, nullptr);
}

json_document parse_python_json(std::string_view text, const std::string& source, const json_file& kind,
                                std::vector<std::string>& duplicates) {
  check_size(text.size(), source, kind);
  std::string plain(text);
  bool is_in_text = false;
  for (std::size_t at = 0; at < text.size(); ++at) {
    if (is_in_text) {
      if (text[at] == '\\') {
        ++at;
      } else if (text[at] == '"') {
        is_in_text = false;
      }
      continue;
    }
    if (text[at] == '"') is_in_text = true;
    const bool is_number = text[at] == '-' || (text[at] >= '0' && text[at] <= '9');
    if (!is_number && text[at] != 'N' && text[at] != 'I') continue;
    const std::string_view word = word_at(text, at);
    if (word == "NaN" || word == "Infinity" || word == "-Infinity" || (is_number && is_beyond_floats(word))) {
      plain[at] = '"';
      plain[at + 1] = no_json_number;
      std::copy(word.begin(), word.end() - 3, plain.begin() + static_cast<std::ptrdiff_t>(at) + 2);
      plain[at + word.size() - 1] = '"';
    }
    at += word.size() - 1;
  }
  return parse(plain, source, kind, &duplicates);
}

namespace {

// What a file is by its first bytes, where people are known to give it in the place of JSON.
std::string_view other_kind_of_file(std::string_view start) {
  if (start.starts_with("version https://git-lfs")) {
    return "it is what Git LFS leaves in the place of a file (git lfs pull brings the file)";
  }
  if (start.starts_with("GGUF")) return "it is a GGUF file, which holds a model's weights";
  // safetensors: the length of a header in 8 bytes, little-endian, and the header, which is a JSON object.
  if (start.size() > 9 && start[8] == '{' && start.substr(5, 3) == std::string_view("\0\0\0", 3)) {
    return "it is a safetensors file, which holds a model's weights";
  }
  return "";
}

}  // namespace

std::string read_text_file(const std::filesystem::path& file, const json_file& kind) {
  const auto fail = [&](const std::string& what) {
    throw error(std::string(kind.open_id), file.string(), what, "give the file of " + std::string(kind.name));
  };
  std::error_code ignored;
  if (std::filesystem::is_directory(file, ignored)) fail("it is a directory");
  errno = 0;
  std::ifstream in(file, std::ios::binary);
  if (!in) fail("it cannot be opened (" + std::generic_category().message(errno) + ")");
  std::string text;
  std::array<char, 65536> block;
  do {
    in.read(block.data(), block.size());
    text.append(block.data(), static_cast<std::size_t>(in.gcount()));
    if (const std::string_view other = other_kind_of_file(text); !other.empty()) fail(std::string(other));
    check_size(text.size(), file.string(), kind);
  } while (in);
  if (in.bad()) fail("it cannot be read (" + std::generic_category().message(errno) + ")");
  return text;
}

}  // namespace axismask
