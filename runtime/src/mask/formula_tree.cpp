// Reads formulas, by C++'s precedence.
#include "mask/formula_tree.hpp"

#include <array>
#include <cstddef>
#include <limits>

namespace axismask {
namespace {

struct binary_sign {
  std::string_view text;
  formula_sign sign;
  bool swaps = false;    // a > b is b < a
  bool negates = false;  // a >= b is !(a < b)
};

// From the weakest to the strongest; of a level, longer texts first.
constexpr std::array<std::array<binary_sign, 4>, 6> levels{{
    {{{"||", formula_sign::either}}},
    {{{"&&", formula_sign::both}}},
    {{{"==", formula_sign::equal}, {"!=", formula_sign::equal, false, true}}},
    {{{"<=", formula_sign::less, true, true},
      {">=", formula_sign::less, false, true},
      {"<", formula_sign::less},
      {">", formula_sign::less, true}}},
    {{{"+", formula_sign::sum}, {"-", formula_sign::difference}}},
    {{{"*", formula_sign::product}, {"/", formula_sign::quotient}, {"%", formula_sign::remainder}}},
}};

constexpr int deepest = 200;  // parentheses and signs within each other

class formula_reader {
 public:
  explicit formula_reader(std::string_view text) : text_(text) {}

  std::optional<formula_tree> read() {
    const std::optional<std::size_t> whole = condition(binary(0));
    skip_spaces();
    if (!whole || !text_.empty()) return std::nullopt;
    return std::move(tree_);
  }

 private:
  using node = std::optional<std::size_t>;  // none when the text is no formula

  node add(const formula_tree::node& one) {
    tree_.nodes.push_back(one);
    return tree_.nodes.size() - 1;
  }

  [[nodiscard]] bool is_condition(std::size_t of) const { return axismask::is_condition(tree_.nodes[of].sign); }

  void skip_spaces() {
    while (!text_.empty() && text_.front() == ' ') text_.remove_prefix(1);
  }

  bool take(std::string_view word) {
    skip_spaces();
    if (!text_.starts_with(word)) return false;
    text_.remove_prefix(word.size());
    return true;
  }

  // A number in the place of a condition is one of its own, as in C++: it is true unless it is 0.
  node condition(node of) {
    if (!of || is_condition(*of)) return of;
    const node zero = add({formula_sign::number, 0});
    if (!zero) return zero;
    return opposite(add({formula_sign::equal, 0, *of, *zero}));
  }

  node opposite(node of) {
    of = condition(of);
    if (!of) return of;
    return add({formula_sign::opposite, 0, *of, *of});
  }

  node joined(const binary_sign& sign, node left, node right) {
    formula_sign meaning = sign.sign;
    if (meaning == formula_sign::both || meaning == formula_sign::either) {
      left = condition(left);
      right = condition(right);
    }
    if (!left || !right) return std::nullopt;
    if (meaning != formula_sign::both && meaning != formula_sign::either) {
      if (is_condition(*left) != is_condition(*right)) return std::nullopt;
      if (is_condition(*left)) {
        if (meaning != formula_sign::equal) return std::nullopt;
        meaning = formula_sign::same;
      }
    }
    if (sign.swaps) std::swap(left, right);
    const node result = add({meaning, 0, *left, *right});
    return sign.negates ? opposite(result) : result;
  }

  node binary(std::size_t level) {
    if (level == levels.size()) return unary();
    node left = binary(level + 1);
    while (left) {
      const binary_sign* found = nullptr;
      for (const binary_sign& one : levels[level]) {
        if (found == nullptr && !one.text.empty() && take(one.text)) found = &one;
      }
      if (found == nullptr) break;
      left = joined(*found, left, binary(level + 1));
    }
    return left;
  }

  node unary() {
    if (++depth_ > deepest) return std::nullopt;
    const node result = operand();
    --depth_;
    return result;
  }

  node operand() {
    if (take("!")) return opposite(unary());
    if (take("-")) {
      const node of = unary();
      if (!of || is_condition(*of)) return std::nullopt;
      return add({formula_sign::negative, 0, *of, *of});
    }
    if (take("(")) {
      const node inner = binary(0);
      return take(")") ? inner : std::nullopt;
    }
    if (take("true")) return add({formula_sign::truth, 1});
    if (take("false")) return add({formula_sign::truth, 0});
    if (take("q")) return add({formula_sign::query});
    if (take("k")) return add({formula_sign::key});
    return number();
  }

  node number() {
    constexpr wide most = wide{std::numeric_limits<std::int64_t>::max()} + 1;  // the lowest number's, without its sign
    wide value = 0;
    const std::size_t before = text_.size();
    while (!text_.empty() && text_.front() >= '0' && text_.front() <= '9' && value <= most) {
      value = value * 10 + (text_.front() - '0');
      text_.remove_prefix(1);
    }
    if (text_.size() == before || value > most) return std::nullopt;
    return add({formula_sign::number, value});
  }

  std::string_view text_;
  formula_tree tree_;
  int depth_ = 0;
};

}  // namespace

std::optional<formula_tree> read_formula(std::string_view text) { return formula_reader(text).read(); }

}  // namespace axismask
