// JSON as text. Numbers and texts are written as nlohmann::json writes them.
#include "spec/json_writing.hpp"

#include <cstddef>
#include <nlohmann/json.hpp>

namespace axismask {

using nlohmann::json;

std::string json_of(std::string_view text) { return json(text).dump(-1, ' ', false, json::error_handler_t::replace); }
std::string json_of(std::int64_t number) { return json(number).dump(); }
std::string json_of(double number) { return json(number).dump(); }

std::string json_of(const std::vector<std::string>& values) {
  std::string text = "[";
  for (const std::string& value : values) text += (text.size() == 1 ? "" : ",") + value;
  return text + "]";
}

json_object& json_object::add(std::string_view key, std::string_view value_as_json) {
  text_ += (text_.empty() ? "" : ",") + json_of(key) + ":";
  text_ += value_as_json;
  return *this;
}

json_object& json_object::add_members(std::string_view object_as_json) {
  const std::string_view members = object_as_json.substr(1, object_as_json.size() - 2);
  text_ += text_.empty() ? "" : ",";
  text_ += members;
  return *this;
}

std::string on_lines(std::string_view json) {
  std::string result;
  std::size_t level = 0;
  const auto new_line = [&] { result += "\n" + std::string(2 * level, ' '); };
  for (std::size_t at = 0; at < json.size(); ++at) {
    const char letter = json[at];
    switch (letter) {
      case '"': {
        const std::size_t start = at;
        for (++at; json[at] != '"'; ++at) {
          if (json[at] == '\\') ++at;
        }
        result += json.substr(start, at + 1 - start);
        break;
      }
      case '{':
      case '[':
        result += letter;
        ++level;
        new_line();
        break;
      case '}':
      case ']':
        --level;
        new_line();
        result += letter;
        break;
      case ',':
        result += letter;
        new_line();
        break;
      case ':':
        result += ": ";
        break;
      default:
        result += letter;
    }
  }
  return result;
}

}  // namespace axismask
