// Another reading of `keep`: as text, for tables and messages. The operands are names or numbers, and what comes out
// is the line that the layer's author wrote.
#pragma once

#include <cstdint>
#include <string>
#include <utility>

namespace axismask {

// A piece of a formula, and how strongly it binds, to put in the parentheses that C++ needs and no others.
class formula {
 public:
  formula(std::string text) : formula(std::move(text), strongest) {}  // NOLINT: implicit, as for numbers
  formula(std::int64_t number) : formula(std::to_string(number), number < 0 ? 6 : strongest) {}  // NOLINT

  [[nodiscard]] const std::string& text() const { return text_; }

  friend formula operator*(const formula& a, const formula& b) { return join(a, "*", b, 5); }
  friend formula operator/(const formula& a, const formula& b) { return join(a, "/", b, 5); }
  friend formula operator%(const formula& a, const formula& b) { return join(a, "%", b, 5); }
  friend formula operator+(const formula& a, const formula& b) { return join(a, "+", b, 4); }
  friend formula operator-(const formula& a, const formula& b) { return join(a, "-", b, 4); }
  friend formula operator<(const formula& a, const formula& b) { return join(a, "<", b, 3); }
  friend formula operator<=(const formula& a, const formula& b) { return join(a, "<=", b, 3); }
  friend formula operator>(const formula& a, const formula& b) { return join(a, ">", b, 3); }
  friend formula operator>=(const formula& a, const formula& b) { return join(a, ">=", b, 3); }
  friend formula operator==(const formula& a, const formula& b) { return join(a, "==", b, 2); }
  friend formula operator!=(const formula& a, const formula& b) { return join(a, "!=", b, 2); }
  friend formula operator&&(const formula& a, const formula& b) { return join(a, "&&", b, 1); }
  friend formula operator||(const formula& a, const formula& b) { return join(a, "||", b, 0); }
  friend formula operator!(const formula& a) { return {"!" + a.within(6), 6}; }
  // `-(-x)`: two signs side by side would be one operator.
  friend formula operator-(const formula& a) { return {"-" + a.within(a.text_.starts_with('-') ? strongest : 6), 6}; }

 private:
  static constexpr int strongest = 7;

  formula(std::string text, int binding) : text_(std::move(text)), binding_(binding) {}

  [[nodiscard]] std::string within(int binding) const { return binding_ < binding ? "(" + text_ + ")" : text_; }

  static formula join(const formula& a, const char* sign, const formula& b, int binding) {
    return {a.within(binding) + " " + sign + " " + b.within(binding + 1), binding};
  }

  std::string text_;
  int binding_;
};

}  // namespace axismask
