// Texts as characters: names in specs are UTF-8, and lines are cut by what is seen.
#pragma once

#include <string>
#include <string_view>

namespace axismask {

// The characters of a text in UTF-8. What is none, and what XML cannot hold, is U+FFFD.
[[nodiscard]] std::u32string characters(std::string_view utf8);
[[nodiscard]] std::string utf8(std::u32string_view characters);

}  // namespace axismask
