// Numbers in messages.
#pragma once

#include <array>
#include <charconv>
#include <string>

namespace axismask {

// The shortest text that reads back as the number, with a point in every locale: "256", "0.0078125", "-1e+09".
inline std::string number_text(double number) {
  std::array<char, 32> text;
  return {text.data(), std::to_chars(text.data(), text.data() + text.size(), number).ptr};
}

}  // namespace axismask
