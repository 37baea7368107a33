// Text that can be part of a type (`axis<"seq">`), and the few text helpers that compile-time and run-time
// messages share: quoted lists and "did you mean".
//
// The room messages/ holds text and sentences of all messages.
// What may never enter it: arrays, layers or anything else of this library.
#pragma once

#include <array>
#include <cstddef>
#include <span>
#include <string>
#include <string_view>

namespace axismask {

// A string literal as a template argument. `text<7>` holds "kv_seq" and its terminator, so that compilers print it
// as written (clang 16 and later; older ones print the character codes).
template <std::size_t Size>
struct text {
  char characters[Size]{};

  consteval text() = default;
  // Implicit, so that a plain literal can stand where a text is asked for.
  consteval text(const char (&literal)[Size]) {  // NOLINT
    for (std::size_t at = 0; at < Size; ++at) characters[at] = literal[at];
  }

  [[nodiscard]] constexpr std::string_view view() const { return {characters, Size - 1}; }
};

// A sentence in the making, at compile time or at run time. Not a std::string, because g++ 12 and clang with its
// library lose track of one's memory in constant expressions. What does not fit is cut off.
class phrase {
 public:
  constexpr phrase() = default;
  constexpr phrase(std::string_view start) { *this += start; }              // NOLINT: implicit, as for a string
  constexpr phrase(const char* start) : phrase(std::string_view(start)) {}  // NOLINT

  constexpr phrase& operator+=(std::string_view more) {
    for (const char character : more) {
      if (size_ < capacity) characters_[size_++] = character;
    }
    return *this;
  }
  friend constexpr phrase operator+(phrase start, std::string_view more) { return start += more; }

  [[nodiscard]] constexpr const char* data() const { return characters_.data(); }
  [[nodiscard]] constexpr std::size_t size() const { return size_; }
  constexpr operator std::string_view() const { return {data(), size_}; }  // NOLINT
  [[nodiscard]] std::string str() const { return {data(), size_}; }

 private:
  static constexpr std::size_t capacity = 1000;

  std::array<char, capacity> characters_{};
  std::size_t size_ = 0;
};

// "1 key", "2 keys"; `more` is the plural where it is not made with an s.
template <class Number>
[[nodiscard]] std::string counted(Number number, std::string_view one, std::string_view more = {}) {
  const std::string text = std::to_string(number) + " ";
  if (number == 1) return text + std::string(one);
  return text + (more.empty() ? std::string(one) + "s" : std::string(more));
}

// The result of a captureless function that gives a phrase or a view, as a text: `to_text([] { return ...; })`.
template <class Build>
[[nodiscard]] consteval auto to_text(Build build) {
  text<Build{}().size() + 1> result;
  const auto built = build();
  for (std::size_t at = 0; at < built.size(); ++at) result.characters[at] = built.data()[at];
  return result;
}

// `"heads", "seq", "kv_seq"`; "none" for an empty list.
[[nodiscard]] constexpr phrase quoted_list(std::span<const std::string_view> names) {
  phrase list;
  for (const std::string_view name : names) {
    if (list.size() > 0) list += ", ";
    list += "\"";
    list += name;
    list += "\"";
  }
  if (list.size() == 0) list += "none";
  return list;
}

// A number as text.
[[nodiscard]] constexpr phrase decimal(std::size_t number) {
  phrase digits = number < 10 ? phrase() : decimal(number / 10);
  const char digit = static_cast<char>('0' + number % 10);
  return digits += std::string_view(&digit, 1);
}

[[nodiscard]] constexpr bool contains(std::span<const std::string_view> names, std::string_view name) {
  for (const std::string_view known : names) {
    if (known == name) return true;
  }
  return false;
}

// How many letters must be inserted, removed, replaced or swapped with their neighbour to turn one name into the other.
[[nodiscard]] constexpr std::size_t edit_distance(std::string_view from, std::string_view to) {
  constexpr std::size_t longest = 64;
  constexpr auto least = [](std::size_t a, std::size_t b) { return a < b ? a : b; };
  if (from.size() >= longest || to.size() >= longest) return longest;
  // distances[line % 3][column]: between the first `line` letters of one and the first `column` of the other.
  std::array<std::array<std::size_t, longest>, 3> distances{};
  for (std::size_t line = 0; line <= from.size(); ++line) {
    auto& row = distances[line % 3];
    const auto& above = distances[(line + 2) % 3];
    row[0] = line;
    for (std::size_t column = 1; column <= to.size(); ++column) {
      if (line == 0) {
        row[column] = column;
        continue;
      }
      const bool same = from[line - 1] == to[column - 1];
      row[column] = least(least(above[column], row[column - 1]) + 1, above[column - 1] + (same ? 0 : 1));
      if (line > 1 && column > 1 && from[line - 1] == to[column - 2] && from[line - 2] == to[column - 1]) {
        row[column] = least(row[column], distances[(line + 1) % 3][column - 2] + 1);
      }
    }
  }
  return distances[from.size() % 3][to.size()];
}

// The name that is nearest to `given`; empty when none is near.
[[nodiscard]] constexpr std::string_view nearest_name(std::string_view given, std::span<const std::string_view> names) {
  std::string_view nearest;
  std::size_t best = (given.size() / 3 > 1 ? given.size() / 3 : 1) + 1;
  if (given.size() < best) best = given.size();  // of a name of one letter nothing would be left
  for (const std::string_view name : names) {
    const std::size_t distance = edit_distance(given, name);
    if (distance < best) {
      best = distance;
      nearest = name;
    }
  }
  return nearest;
}

// ` (did you mean "kv_seq"?)` for the name that is nearest to `given`, or nothing when none is near.
[[nodiscard]] constexpr phrase did_you_mean(std::string_view given, std::span<const std::string_view> names) {
  const std::string_view nearest = nearest_name(given, names);
  return nearest.empty() ? phrase() : phrase(" (did you mean \"") + nearest + "\"?)";
}

}  // namespace axismask
