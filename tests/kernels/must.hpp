// What fuzz targets, and tests that run with them, share: what must hold is checked with `must`, and what a call may
// throw is looked at.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>

#include "axismask/messages/error.hpp"

namespace axismask::test {

// libFuzzer keeps the input of a program that ends so.
inline void must(bool holds, std::string_view what) {
  if (holds) return;
  std::fprintf(stderr, "does not hold: %.*s\n", static_cast<int>(what.size()), what.data());
  std::abort();
}

// A message is one line of four parts, of a length that a terminal bears, whatever was in the input.
inline void check_line(std::string_view line, std::string_view begin) {
  constexpr std::size_t longest = 3 * 4100;
  must(line.substr(0, begin.size()) == begin, "a message says who speaks");
  must(line.size() <= longest, "a message has a bound");
  for (const char letter : line) {
    const auto byte = static_cast<unsigned char>(letter);
    if (byte < 0x20 || byte == 0x7F) must(false, "no control characters in " + std::string(line));
  }
}

inline void check_error(const error& problem) {
  check_line(problem.what(), "axismask: error[");
  must(!problem.id().empty() && !problem.where().empty() && !problem.what_is_wrong().empty() && !problem.cure().empty(),
       std::string("a message has an ID, a place, what is wrong and the cure: ") + problem.what());
}

// Calls it; an error of ours is looked at, and any other exception ends the program.
template <class Call>
bool succeeds(Call call) {
  try {
    call();
    return true;
  } catch (const error& problem) {
    check_error(problem);
    return false;
  }
}

inline std::string_view text_of(const std::uint8_t* data, std::size_t bytes) {
  return {reinterpret_cast<const char*>(data), bytes};
}

}  // namespace axismask::test
