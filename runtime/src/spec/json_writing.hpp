// JSON as text, put together of texts: without trees of nlohmann::json, which take memory to be freed (json_text.hpp).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace axismask {

// What is not UTF-8 in a text is replaced.
std::string json_of(std::string_view text);
std::string json_of(std::int64_t number);
std::string json_of(double number);
std::string json_of(const std::vector<std::string>& values);  // an array of values that are JSON already

// An object, whose members stay in the order in which they were added.
class json_object {
 public:
  json_object& add(std::string_view key, std::string_view value_as_json);
  json_object& add_members(std::string_view object_as_json);
  [[nodiscard]] bool is_empty() const { return text_.empty(); }
  [[nodiscard]] std::string str() const { return text_.empty() ? "{}" : "{" + text_ + "}"; }

 private:
  std::string text_;  // without the braces
};

// The same JSON over several lines, two blanks a level. No object or array in it is empty.
std::string on_lines(std::string_view json);

}  // namespace axismask
