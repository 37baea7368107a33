// Tests of the comparison of masks at all positions: random formulas against each of their elements, and large numbers
// against arithmetic.
#include "mask/mask_proof.hpp"

#include <gtest/gtest.h>

#include <array>
#include <functional>
#include <random>
#include <string>

#include "axismask/readings/integer.hpp"

namespace axismask {
namespace {

formula_tree tree_of(const std::string& text) {
  const std::optional<formula_tree> tree = read_formula(text);
  EXPECT_TRUE(tree) << text;
  return tree.value_or(formula_tree{});
}

// What a formula is for one pair, by the arithmetic of layers.
bool keeps(const formula_tree& formula, std::int64_t query, std::int64_t key) {
  static std::vector<integer> values;
  values.clear();
  for (const formula_tree::node& node : formula.nodes) {
    const auto left = [&] { return values[node.left]; };
    const auto right = [&] { return values[node.right]; };
    const auto value = [&]() -> integer {
      switch (node.sign) {
        case formula_sign::number:
        case formula_sign::truth:
          return static_cast<std::int64_t>(node.number);
        case formula_sign::query:
          return query;
        case formula_sign::key:
          return key;
        case formula_sign::negative:
          return -left();
        case formula_sign::sum:
          return left() + right();
        case formula_sign::difference:
          return left() - right();
        case formula_sign::product:
          return left() * right();
        case formula_sign::quotient:
          return left() / right();
        case formula_sign::remainder:
          return left() % right();
        case formula_sign::opposite:
          return left() == 0 ? 1 : 0;
        case formula_sign::both:
          return left() != 0 && right() != 0 ? 1 : 0;
        case formula_sign::either:
          return left() != 0 || right() != 0 ? 1 : 0;
        case formula_sign::equal:
        case formula_sign::same:
          return left() == right() ? 1 : 0;
        case formula_sign::less:
          return left() < right() ? 1 : 0;
      }
      return 0;
    }();
    values.push_back(value);
  }
  return values.back() != 0;
}

// Masks as layers have them, and others that a user might write, with small numbers.
class masks {
 public:
  explicit masks(unsigned seed) : random_(seed) {}

  std::string any(int depth) {
    if (depth == 0 || number(0, 3) == 0) return one();
    const std::string a = any(depth - 1);
    switch (number(0, 4)) {
      case 0:
        return "!(" + a + ")";
      case 1:
      case 2:
        return "(" + a + ") && (" + any(depth - 1) + ")";
      default:
        return "(" + a + ") || (" + any(depth - 1) + ")";
    }
  }

  // Another way to write a mask, or one that is a little different.
  std::string like(std::string mask) {
    switch (number(0, 4)) {
      case 0:
        return "!(!(" + mask + "))";
      case 1:
        return "(" + mask + ") && (k >= 0 || k < 0)";
      case 2:
        return "(" + mask + ") || (" + one() + " && " + one() + ")";
      default: {
        if (mask.find("2 * q") != std::string::npos) return mask;  // 2 * q - 3 * k is no distance
        const std::size_t digit = mask.find_first_of("123456789", static_cast<std::size_t>(number(0, 20)));
        if (digit != std::string::npos) mask[digit] = static_cast<char>('1' + number(0, 8));
        return mask;
      }
    }
  }

  std::int64_t number(std::int64_t low, std::int64_t high) {
    return std::uniform_int_distribution<std::int64_t>(low, high)(random_);
  }

 private:
  std::string text(std::int64_t low, std::int64_t high) { return std::to_string(number(low, high)); }

  std::string one() {
    const std::string a = text(1, 9);
    const std::string b = text(1, 5);
    switch (number(0, 15)) {
      case 0:
        return "q >= k && k >= 0";
      case 1:
        return "q >= k && q - k < " + a + " && k >= 0";
      case 2:
        return "q >= k && k >= q / " + a + " * " + a + " && k >= 0";
      case 3:
        return "q >= k && q - k <= (" + a + " - 1) / " + b + " * " + b + " && (q - k) % " + b + " == 0 && k >= 0";
      case 4:
        return "k >= 0 && k < " + a;
      case 5:
        return "k >= q - " + a + " && k <= q + " + b + " && k >= 0";
      case 6:
        return "(q >= k || k < " + a + ") && k >= 0";
      case 7:
        return "k >= " + a + " - " + b + " && k < " + a + " && k >= 0";
      case 8:
        return "q / " + a + " == k / " + a;
      case 9:
        return "q / " + a + " - k / " + a + " < " + b + " && q >= k";
      case 10:
        return "k % " + a + " < " + b;
      case 11:
        return "(q - k) % " + a + " != " + b;
      case 12:
        return "q % " + a + " >= k % " + b;
      case 13:
        return "2 * q - 2 * k < " + a + " + " + b;
      case 14:
        return "q / " + b + " / 2 % " + a + " == 1 && k < q";
      default:
        return "(q >= " + a + ") == (k >= " + b + ")";
    }
  }

  std::mt19937 random_;
};

// The nearest pair at which masks differ, of those from 0 on; or none.
std::optional<std::pair<std::int64_t, std::int64_t>> first_from_0_on(const formula_tree& a, const formula_tree& b,
                                                                     std::int64_t end) {
  for (std::int64_t query = 0; query < end; ++query) {
    for (std::int64_t key = 0; key < end; ++key) {
      if (keeps(a, query, key) != keeps(b, query, key)) return std::pair(query, key);
    }
  }
  return std::nullopt;
}

TEST(everywhere, random_masks_are_as_their_elements_say) {
  masks random(14);
  std::array<int, 3> found{};
  int later = 0;  // from the end on
  for (int round = 0; round < 400; ++round) {
    const std::string text_of_a = random.any(2);
    const std::string text_of_b = random.number(0, 2) == 0 ? random.any(2) : random.like(text_of_a);
    SCOPED_TRACE(text_of_a + "   and   " + text_of_b);
    const formula_tree a = tree_of(text_of_a);
    const formula_tree b = tree_of(text_of_b);
    const mask_comparison answer = compare_everywhere(a, b);
    ++found[static_cast<std::size_t>(answer.found)];
    constexpr std::int64_t end = 60;
    const auto first = first_from_0_on(a, b, end);
    if (answer.found == likeness::unknown) continue;
    if (answer.found == likeness::alike) {
      ASSERT_FALSE(first);
      for (std::int64_t query = -30; query < 30; ++query) {
        for (std::int64_t key = -30; key < 30; ++key) {
          ASSERT_EQ(keeps(a, query, key), keeps(b, query, key)) << query << " " << key;
        }
      }
      continue;
    }
    const auto query = static_cast<std::int64_t>(answer.differing->query);
    const auto key = static_cast<std::int64_t>(answer.differing->key);
    ASSERT_NE(keeps(a, query, key), keeps(b, query, key)) << query << " " << key;
    ASSERT_TRUE(answer.is_first || answer.are_alike_from_0_on);
    if (query < 0 || key < 0) {
      ASSERT_TRUE(answer.are_alike_from_0_on);
      ASSERT_FALSE(first);
    } else if (first && answer.is_first) {
      // A key from the end on is not seen here.
      ASSERT_TRUE(std::pair(query, key) == *first || key >= end) << query << " " << key;
      later += key >= end ? 1 : 0;
    } else {
      ASSERT_TRUE(query >= end || key >= end);
      ++later;
    }
  }
  EXPECT_GT(found[static_cast<std::size_t>(likeness::alike)], 100);
  EXPECT_GT(found[static_cast<std::size_t>(likeness::different)], 100);
  EXPECT_EQ(found[static_cast<std::size_t>(likeness::unknown)], 0);
  EXPECT_LT(later, 10);
}

std::string window(const std::string& keys) { return "q >= k && q - k < " + keys + " && k >= 0"; }
std::string chunk(const std::string& size) { return "q >= k && k >= q / " + size + " * " + size + " && k >= 0"; }
std::string dilated(const std::string& keys, const std::string& step) {
  return "q >= k && q - k <= (" + keys + " - 1) / " + step + " * " + step + " && (q - k) % " + step + " == 0 && k >= 0";
}
std::string sides(const std::string& left, const std::string& right) {
  return "k >= q - " + left + " && k <= q + " + right + " && k >= 0";
}
std::string both(const std::string& a, const std::string& b) { return "(" + a + ") && (" + b + ")"; }
std::string either(const std::string& a, const std::string& b) { return "(" + a + ") || (" + b + ")"; }

const std::string causal = "q >= k && k >= 0";
const std::string large = "9007199254740992";       // 2^53
const std::string largest = "9223372036854775807";  // no limit
constexpr std::int64_t large_number = std::int64_t{1} << 53;

TEST(everywhere, large_masks_are_proved_alike) {
  for (const auto& [a, b] : {
           std::pair(window(large), window(large)),
           std::pair(window(large), sides("9007199254740991", "0")),
           std::pair(window(largest), causal),
           std::pair(sides(largest, "0"), causal),
           std::pair(sides(largest, largest), std::string("k >= 0")),
           std::pair(both(chunk("8192"), chunk("16384")), chunk("8192")),
           std::pair(both(chunk(large), chunk("9007199254740991")), both(chunk("9007199254740991"), chunk(large))),
           std::pair(both(chunk("8191"), window("8191")), chunk("8191")),
           std::pair(dilated(large, "3"), both(window(large), "(q - k) % 3 == 0")),
           std::pair(dilated(large, "2"), either(dilated(large, "4"), both(dilated(large, "2"), "(q - k) % 4 == 2"))),
           std::pair(both(dilated(large, "3"), chunk("1048576")), both(dilated("1048576", "3"), chunk("1048576"))),
           std::pair(either(window(large), "k >= 0 && k < 4"), either("k < 4 && k >= 0", window(large))),
       }) {
    SCOPED_TRACE(a + "   and   " + b);
    EXPECT_EQ(compare_everywhere(tree_of(a), tree_of(b)).found, likeness::alike);
  }
}

TEST(everywhere, the_first_difference_of_large_masks_is_found) {
  struct difference_case {
    std::string a;
    std::string b;
    std::int64_t query;
    std::int64_t key;
  };
  for (const auto& [a, b, query, key] : {
           difference_case{window("131072"), window("131073"), 131072, 0},
           difference_case{window(large), window("9007199254740993"), large_number, 0},
           difference_case{window("9223372036854775806"), causal, 9223372036854775806, 0},
           difference_case{sides("4", large), sides("4", "9007199254740993"), 0, large_number + 1},
           difference_case{chunk(large), chunk("9007199254740991"), large_number - 1, 0},
           difference_case{both(chunk("8192"), window("8191")), chunk("8192"), 8191, 0},
           // 2^53 - 2 is the last multiple of 3 below 2^53, but for the nearer one of the shorter window.
           difference_case{dilated(large, "3"), dilated("9007199254740990", "3"), large_number - 2, 0},
           difference_case{either(window(large), "q >= k && k >= 0 && k < 4"),
                           either(window(large), "q >= k && k >= 0 && k < 5"), large_number + 4, 4},
           // Between multiples of both chunks, long after the window.
           difference_case{both(chunk("6"), "q >= 1000000"), both(chunk("4"), "q >= 1000000"), 1000000, 999996},
       }) {
    SCOPED_TRACE(a + "   and   " + b);
    const mask_comparison found = compare_everywhere(tree_of(a), tree_of(b));
    ASSERT_EQ(found.found, likeness::different);
    EXPECT_TRUE(found.is_first);
    EXPECT_EQ(static_cast<std::int64_t>(found.differing->query), query);
    EXPECT_EQ(static_cast<std::int64_t>(found.differing->key), key);
  }
}

// Only padding tells them apart.
TEST(everywhere, padding_alone_tells_masks_apart) {
  const mask_comparison found = compare_everywhere(tree_of(causal), tree_of("q >= k"));
  ASSERT_EQ(found.found, likeness::different);
  EXPECT_TRUE(found.are_alike_from_0_on);
  EXPECT_EQ(static_cast<std::int64_t>(found.differing->query), 0);
  EXPECT_EQ(static_cast<std::int64_t>(found.differing->key), -1);
}

TEST(everywhere, what_cannot_be_told_is_unknown) {
  for (const auto& [a, b] : {
           std::pair(std::string("2 * q > 3 * k"), std::string("3 * k < 2 * q && 3 * k <= 2 * q")),
           std::pair(std::string("q * k > 9"), std::string("k * q > 9")),
           std::pair(std::string("q % k > 9"), std::string("q % k >= 10")),
       }) {
    EXPECT_EQ(compare_everywhere(tree_of(a), tree_of(b)).found, likeness::unknown);
  }
  // What they have in common need not be told.
  EXPECT_EQ(compare_everywhere(tree_of("q * k > 9 && k >= 0"), tree_of("k >= 0 && q * k > 9")).found, likeness::alike);
  // Numbers of twice the largest positions saturate.
  const mask_comparison twice = compare_everywhere(tree_of("2 * q >= 2 * k"), tree_of("q >= k"));
  EXPECT_EQ(twice.found, likeness::alike);
  EXPECT_EQ(twice.last, std::int64_t{1} << 60);
}

TEST(everywhere, other_texts_are_no_formulas) {
  for (const char* text : {"", "q", "q >", "q > k)", "(q > k", "q > k k", "q && (k > 1) + 1", "p > 1",
                           "q > 9223372036854775809", "(q > k) < (k > q)", "-(q > k)", "q >> k", "q ? k : 1"}) {
    EXPECT_EQ(read_formula(text).has_value(), std::string_view(text) == "q") << text;  // a number is a condition
  }
  EXPECT_FALSE(read_formula(std::string(1000, '(')));
  EXPECT_FALSE(read_formula(std::string(1000, '!') + "true"));
}

}  // namespace
}  // namespace axismask
