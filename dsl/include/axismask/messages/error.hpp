// Errors at run time: one exception, one line, four parts.
#pragma once

#include <cstddef>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>

namespace axismask {

namespace detail {

// Texts of the user's may be in any part of a message, and a message is one line that a terminal shows and does not
// obey: control characters, U+0080 to U+009F among them, become \u001b and so on. Of a part that is longer than a
// screen the rest is counted.
inline std::string on_one_line(std::string_view part) {
  constexpr std::size_t longest = 4000;
  constexpr std::string_view digits = "0123456789abcdef";
  std::string line;
  std::size_t at = 0;
  for (; at < part.size() && line.size() < longest; ++at) {
    auto code = static_cast<unsigned char>(part[at]);
    const auto next = static_cast<unsigned char>(at + 1 < part.size() ? part[at + 1] : '\0');
    const bool is_two_bytes = code == 0xC2 && next >= 0x80 && next < 0xA0;
    if (code >= 0x20 && code != 0x7F && !is_two_bytes) {
      line += part[at];
      continue;
    }
    if (is_two_bytes) {
      code = next;
      ++at;
    }
    line += {'\\', 'u', '0', '0', digits[code >> 4U], digits[code & 15U]};
  }
  if (at < part.size()) {
    const auto is_within_a_character = [](char byte) { return (static_cast<unsigned char>(byte) & 0xC0U) == 0x80U; };
    if (is_within_a_character(part[at])) {
      while (!line.empty() && is_within_a_character(line.back())) line.pop_back();
      if (!line.empty()) line.pop_back();
    }
    line += "... and " + std::to_string(part.size() - at) + " bytes more";
  }
  return line;
}

}  // namespace detail

// What went wrong, as `axismask: error[ID] WHERE: what; cure`. IDs are stable; docs/messages.md lists them.
class error : public std::runtime_error {
 public:
  error(std::string id, std::string_view where, std::string_view what_is_wrong, std::string_view cure)
      : error(parts{std::move(id), detail::on_one_line(where), detail::on_one_line(what_is_wrong),
                    detail::on_one_line(cure)}) {}

  [[nodiscard]] const std::string& id() const { return parts_.id; }
  // A JSON pointer, a file, an option, an argument of the call.
  [[nodiscard]] const std::string& where() const { return parts_.where; }
  [[nodiscard]] const std::string& what_is_wrong() const { return parts_.what_is_wrong; }
  [[nodiscard]] const std::string& cure() const { return parts_.cure; }

  // Gives the same error with another WHERE, for a caller that knows better what the user meant.
  [[nodiscard]] error at(std::string_view where) const { return {parts_.id, where, parts_.what_is_wrong, parts_.cure}; }

 private:
  struct parts {
    std::string id;
    std::string where;
    std::string what_is_wrong;
    std::string cure;
  };
  explicit error(parts all)
      : std::runtime_error("axismask: error[" + all.id + "] " + all.where + ": " + all.what_is_wrong + "; " + all.cure),
        parts_(std::move(all)) {}

  parts parts_;
};

}  // namespace axismask
