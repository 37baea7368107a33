// `keep` read as text: the parentheses that C++ needs and no others.
#include "axismask/readings/formula.hpp"

#include <gtest/gtest.h>

#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include "axismask/causal.hpp"
#include "axismask/causal_sliding_window.hpp"
#include "axismask/layer/layer_type.hpp"

namespace axismask {
namespace {

const formula a = std::string("a");
const formula b = std::string("b");
const formula c = std::string("c");

TEST(Formula, Operands) {
  EXPECT_EQ(a.text(), "a");
  EXPECT_EQ(formula(512).text(), "512");
  EXPECT_EQ(formula(-1).text(), "-1");
  EXPECT_EQ(formula(std::numeric_limits<std::int64_t>::max()).text(), "9223372036854775807");
}

TEST(Formula, Operators) {
  EXPECT_EQ((a + b).text(), "a + b");
  EXPECT_EQ((a - b).text(), "a - b");
  EXPECT_EQ((a * b).text(), "a * b");
  EXPECT_EQ((a / b).text(), "a / b");
  EXPECT_EQ((a % b).text(), "a % b");
  EXPECT_EQ((a < b).text(), "a < b");
  EXPECT_EQ((a <= b).text(), "a <= b");
  EXPECT_EQ((a > b).text(), "a > b");
  EXPECT_EQ((a >= b).text(), "a >= b");
  EXPECT_EQ((a == b).text(), "a == b");
  EXPECT_EQ((a != b).text(), "a != b");
  EXPECT_EQ((a && b).text(), "a && b");
  EXPECT_EQ((a || b).text(), "a || b");
  EXPECT_EQ((!a).text(), "!a");
  EXPECT_EQ((-a).text(), "-a");
}

TEST(Formula, NumbersStandBesideOperands) {
  EXPECT_EQ((a >= 0).text(), "a >= 0");
  EXPECT_EQ((a / 8192 == b / 8192).text(), "a / 8192 == b / 8192");
  EXPECT_EQ((0 < a).text(), "0 < a");
}

TEST(Formula, LeftToRightNeedsNoParentheses) {
  EXPECT_EQ((a - b - c).text(), "a - b - c");
  EXPECT_EQ((a / b / c).text(), "a / b / c");
  EXPECT_EQ((a * b % c).text(), "a * b % c");
  EXPECT_EQ((a + b - c).text(), "a + b - c");
}

TEST(Formula, RightToLeftDoes) {
  EXPECT_EQ((a - (b - c)).text(), "a - (b - c)");
  EXPECT_EQ((a - (b + c)).text(), "a - (b + c)");
  EXPECT_EQ((a / (b / c)).text(), "a / (b / c)");
  EXPECT_EQ((a * (b / c)).text(), "a * (b / c)");
  EXPECT_EQ((a % (b * c)).text(), "a % (b * c)");
  // Whole numbers that saturate are not associative, so these stay too.
  EXPECT_EQ((a + (b + c)).text(), "a + (b + c)");
}

TEST(Formula, StrongerOperatorsNeedNone) {
  EXPECT_EQ((a + b * c).text(), "a + b * c");
  EXPECT_EQ((a * b + c).text(), "a * b + c");
  EXPECT_EQ((a - b < c).text(), "a - b < c");
  EXPECT_EQ((a < b && b < c).text(), "a < b && b < c");
  EXPECT_EQ(((a < b) == (b < c)).text(), "a < b == b < c");
  EXPECT_EQ(((a <= b) != (b >= c)).text(), "a <= b != b >= c");
  EXPECT_EQ(((a <= b) == (b > c)).text(), "a <= b == b > c");
  EXPECT_EQ(((a != b) && (b % c == a)).text(), "a != b && b % c == a");
  EXPECT_EQ(((a && b) || c).text(), "a && b || c");
  EXPECT_EQ((a == b || b == c).text(), "a == b || b == c");
}

TEST(Formula, WeakerOperatorsDo) {
  EXPECT_EQ(((a + b) * c).text(), "(a + b) * c");
  EXPECT_EQ((a * (b + c)).text(), "a * (b + c)");
  EXPECT_EQ((a && (b || c)).text(), "a && (b || c)");
  EXPECT_EQ(((a || b) && c).text(), "(a || b) && c");
  EXPECT_EQ(((a < b) + c).text(), "(a < b) + c");
  EXPECT_EQ(((a == b) < c).text(), "(a == b) < c");
  EXPECT_EQ(((a != b) >= c).text(), "(a != b) >= c");
}

TEST(Formula, ComparisonsOfComparisons) {
  EXPECT_EQ((a == (b == c)).text(), "a == (b == c)");
  EXPECT_EQ((a < (b < c)).text(), "a < (b < c)");
}

TEST(Formula, OneSidedOperators) {
  EXPECT_EQ((!(a && b)).text(), "!(a && b)");
  EXPECT_EQ((!(a < b)).text(), "!(a < b)");
  EXPECT_EQ((!!a).text(), "!!a");
  EXPECT_EQ((!a && b).text(), "!a && b");
  EXPECT_EQ((-(a + b)).text(), "-(a + b)");
  EXPECT_EQ((-(a * b)).text(), "-(a * b)");
  EXPECT_EQ((-a * b).text(), "-a * b");
  EXPECT_EQ((a - -b).text(), "a - -b");
  EXPECT_EQ((a - formula(-5)).text(), "a - -5");
  EXPECT_EQ((a * formula(-5)).text(), "a * -5");
  // Two signs side by side would be a decrement.
  EXPECT_EQ((-(-a)).text(), "-(-a)");
  EXPECT_EQ((-formula(-5)).text(), "-(-5)");
  EXPECT_EQ((-(!a)).text(), "-!a");
}

template <class Layer>
std::string formula_of(std::vector<std::string> operands) {
  return layer_type_of<Layer>.formula(operands);
}

TEST(Formula, OfTheShippedLayersIsTheLineThatIsWritten) {
  EXPECT_EQ(formula_of<ApplyCausalSlidingWindowAttentionMask<>>({"query_position", "kv_position", "512"}),
            "query_position >= kv_position && query_position - kv_position < 512 && kv_position >= 0");
  EXPECT_EQ(formula_of<ApplyCausalAttentionMask<>>({"q", "k"}), "q >= k && k >= 0");
}

}  // namespace
}  // namespace axismask
