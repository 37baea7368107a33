// Reads formulas in zones. Every number is (line + remainders) / denominator, exactly.
#include "mask/zone_reading.hpp"

#include <algorithm>
#include <limits>
#include <numeric>
#include <tuple>
#include <utility>

#include "mask/wide_number.hpp"

namespace axismask {
namespace {

constexpr wide lowest_number = std::numeric_limits<std::int64_t>::min();
constexpr wide highest_number = std::numeric_limits<std::int64_t>::max();

position_line scaled(const position_line& line, wide factor, overflow& failed) {
  return {failed.product(line.query, factor), failed.product(line.key, factor), failed.product(line.constant, factor)};
}

position_line sum(const position_line& a, const position_line& b, overflow& failed) {
  return {failed.sum(a.query, b.query), failed.sum(a.key, b.key), failed.sum(a.constant, b.constant)};
}

// A number of a formula.
struct number_in_zone {
  position_line line;
  std::vector<line_remainder> remainders;
  wide denominator = 1;
  // For what a division can divide: the number is `of / divisor`, rounded down.
  struct quotient {
    position_line of;
    wide divisor;
  };
  std::optional<quotient> as_quotient;

  [[nodiscard]] bool is_constant() const { return remainders.empty() && along(line) == line_along::nothing; }
};

class number_reader {
 public:
  explicit number_reader(const zone& where) : where_(where) {}

  using result = std::optional<number_in_zone>;  // none when it is no such number, or may saturate

  result of_line(const position_line& line) { return finished({line, {}, 1, {}}); }

  result negative(const result& a) { return a ? times(*a, -1) : a; }

  result sum_of(const result& a, const result& b) {
    if (!a || !b) return std::nullopt;
    overflow failed;
    number_in_zone sum_;
    sum_.denominator = failed.multiple(a->denominator, b->denominator);
    if (failed) return std::nullopt;
    for (const number_in_zone* one : {&*a, &*b}) {
      const wide factor = sum_.denominator / one->denominator;
      sum_.line = sum(sum_.line, scaled(one->line, factor, failed), failed);
      for (line_remainder part : one->remainders) {
        part.factor = failed.product(part.factor, factor);
        add(sum_.remainders, part, failed);
      }
    }
    for (const auto& [one, other] : {std::pair(&*a, &*b), std::pair(&*b, &*a)}) {
      if (!one->as_quotient || !other->is_constant()) continue;
      sum_.as_quotient = one->as_quotient;
      wide& constant = sum_.as_quotient->of.constant;
      constant = failed.sum(constant, failed.product(other->line.constant, sum_.as_quotient->divisor));
    }
    return failed ? std::nullopt : finished(std::move(sum_));
  }

  result product_of(const result& a, const result& b) {
    if (!a || !b) return std::nullopt;
    if (b->is_constant()) return times(*a, b->line.constant);
    if (a->is_constant()) return times(*b, a->line.constant);
    return std::nullopt;
  }

  // Division rounds so that the remainder is not negative; by zero, quotient and remainder are zero.
  result quotient_of(const result& a, const result& b) {
    if (!a || !b || !b->is_constant()) return std::nullopt;
    const wide divisor = b->line.constant;
    if (divisor == 0) return of_line({});
    if (!a->as_quotient) return std::nullopt;
    overflow failed;
    const wide size = failed.product(a->as_quotient->divisor, divisor < 0 ? -divisor : divisor);
    if (failed) return std::nullopt;
    number_in_zone quotient{a->as_quotient->of, {}, size, number_in_zone::quotient{a->as_quotient->of, size}};
    quotient.remainders.push_back({-1, a->as_quotient->of, size});
    const result rounded = finished(std::move(quotient));
    return rounded && divisor < 0 ? times(*rounded, -1) : rounded;
  }

  // Of floor(e / d) by n it is (e mod dn - e mod d) / d.
  result remainder_of(const result& a, const result& b) {
    if (!a || !b || !b->is_constant()) return std::nullopt;
    const wide divisor = b->line.constant;
    if (divisor == 0) return of_line({});
    if (!a->as_quotient) return std::nullopt;
    const auto& [of, before] = *a->as_quotient;
    overflow failed;
    const wide size = failed.product(before, divisor < 0 ? -divisor : divisor);
    if (failed) return std::nullopt;
    number_in_zone remainder{{}, {{1, of, size}}, before, {}};
    if (before > 1) remainder.remainders.push_back({-1, of, before});
    return finished(std::move(remainder));
  }

  // The numbers that it takes, or a few more.
  std::optional<wide_range> range_of_number(const number_in_zone& number) const {
    std::optional<wide_range> range = range_of(number.line, where_);
    if (!range) return range;
    overflow failed;
    for (const line_remainder& part : number.remainders) {
      wide& end = part.factor > 0 ? range->high : range->low;
      end = failed.sum(end, failed.product(part.factor, part.divisor - 1));
    }
    if (failed) return std::nullopt;
    return wide_range{floor_quotient(range->low, number.denominator), floor_quotient(range->high, number.denominator)};
  }

  // May numbers that go on being computed with have become nearer ones that 64 bits hold?
  bool may_saturate(const number_in_zone& number) const {
    const std::optional<wide_range> range = range_of_number(number);
    return !range || range->low < lowest_number || range->high > highest_number;
  }

 private:
  // Remainders of the same are one.
  static void add(std::vector<line_remainder>& parts, const line_remainder& more, overflow& failed) {
    for (line_remainder& part : parts) {
      if (part.of != more.of || part.divisor != more.divisor) continue;
      part.factor = failed.sum(part.factor, more.factor);
      return;
    }
    parts.push_back(more);
  }

  result times(number_in_zone number, wide factor) {
    overflow failed;
    number.line = scaled(number.line, factor, failed);
    for (line_remainder& part : number.remainders) part.factor = failed.product(part.factor, factor);
    number.as_quotient.reset();
    return failed ? std::nullopt : finished(std::move(number));
  }

  // A remainder whose quotient is one number in the zone is a line.
  static bool fold(line_remainder& part, const zone& where, position_line& line, overflow& failed) {
    if (part.factor == 0) return true;
    const std::optional<wide_range> range = range_of(part.of, where);
    if (!range) return false;
    const wide quotient = floor_quotient(range->low, part.divisor);
    if (quotient != floor_quotient(range->high, part.divisor)) return false;
    position_line less = part.of;
    less.constant = failed.sum(less.constant, -failed.product(quotient, part.divisor));
    line = sum(line, scaled(less, part.factor, failed), failed);
    return true;
  }

  result finished(number_in_zone number) {
    overflow failed;
    std::erase_if(number.remainders, [&](line_remainder& part) { return fold(part, where_, number.line, failed); });
    if (failed) return std::nullopt;
    wide common = number.denominator;
    for (const wide one : {number.line.query, number.line.key, number.line.constant}) {
      common = common_divisor(common, one);
    }
    for (const line_remainder& part : number.remainders) common = common_divisor(common, part.factor);
    number.denominator /= common;
    number.line = {number.line.query / common, number.line.key / common, number.line.constant / common};
    for (line_remainder& part : number.remainders) part.factor /= common;
    if (number.remainders.empty() && number.denominator == 1) {
      number.as_quotient = number_in_zone::quotient{number.line, 1};
    }
    return number;
  }

  const zone& where_;
};

// The reading of a condition, and of what is left of it a text.
class condition_reader {
 public:
  condition_reader(const formula_tree& formula, const zone& where) : formula_(formula), reader_(where) {
    numbers_.resize(formula.nodes.size());
    for (std::size_t at = 0; at < numbers_.size(); ++at) {
      if (!is_condition(formula.nodes[at].sign)) numbers_[at] = number(formula.nodes[at]);
    }
  }

  zone_reading read(std::size_t at, bool is_negated) {
    const formula_tree::node& node = formula_.nodes[at];
    switch (node.sign) {
      case formula_sign::truth:
        return decided((node.number != 0) != is_negated);
      case formula_sign::opposite:
        return read(node.left, !is_negated);
      case formula_sign::both:
      case formula_sign::either:
        return joined(read(node.left, is_negated), read(node.right, is_negated),
                      (node.sign == formula_sign::both) != is_negated);
      case formula_sign::same:
        return joined(joined(read(node.left, false), read(node.right, is_negated), true),
                      joined(read(node.left, true), read(node.right, !is_negated), true), false);
      case formula_sign::equal:
      case formula_sign::less:
        return comparison(at, is_negated);
      case formula_sign::number:
      case formula_sign::query:
      case formula_sign::key:
      case formula_sign::negative:
      case formula_sign::sum:
      case formula_sign::difference:
      case formula_sign::product:
      case formula_sign::quotient:
      case formula_sign::remainder:
        break;
    }
    return unknown(at, is_negated);  // a number is no condition
  }

 private:
  using result = number_reader::result;

  // An operand: what saturates is another number than the one that is computed here.
  result operand(std::size_t at) const {
    const result& of = numbers_[at];
    return of && reader_.may_saturate(*of) ? std::nullopt : of;
  }

  result number(const formula_tree::node& node) {
    const auto left = [&] { return operand(node.left); };
    const auto right = [&] { return operand(node.right); };
    switch (node.sign) {
      case formula_sign::number:
        return reader_.of_line({0, 0, node.number});
      case formula_sign::query:
        return reader_.of_line({1, 0, 0});
      case formula_sign::key:
        return reader_.of_line({0, 1, 0});
      case formula_sign::negative:
        // The lowest number is written as the negative of one that 64 bits do not hold.
        return reader_.negative(formula_.nodes[node.left].sign == formula_sign::number ? numbers_[node.left] : left());
      case formula_sign::sum:
        return reader_.sum_of(left(), right());
      case formula_sign::difference:
        return reader_.sum_of(left(), reader_.negative(right()));
      case formula_sign::product:
        return reader_.product_of(left(), right());
      case formula_sign::quotient:
        return reader_.quotient_of(left(), right());
      case formula_sign::remainder:
        return reader_.remainder_of(left(), right());
      case formula_sign::truth:
      case formula_sign::opposite:
      case formula_sign::both:
      case formula_sign::either:
      case formula_sign::equal:
      case formula_sign::less:
      case formula_sign::same:
        break;
    }
    return std::nullopt;
  }

  static zone_reading decided(bool kept) { return {kept ? verdict::all : verdict::none, "", {}}; }

  static zone_reading joined(zone_reading a, zone_reading b, bool is_both) {
    const verdict kept = is_both ? a.kept && b.kept : a.kept || b.kept;
    if (kept != verdict::some) return decided(kept == verdict::all);
    if (a.kept != verdict::some) return b;
    if (b.kept != verdict::some) return a;
    if (b.rest < a.rest) std::swap(a, b);
    if (a.rest == b.rest) return a;
    std::string rest = "(" + a.rest + (is_both ? " && " : " || ") + b.rest + ")";
    std::vector<open_comparison> open = std::move(a.open);
    open.insert(open.end(), b.open.begin(), b.open.end());
    return {verdict::some, std::move(rest), std::move(open)};
  }

  // 64 bits hold both sides, or the one that they do not hold is compared with what lies between all that they hold.
  [[nodiscard]] bool is_exact(const number_in_zone& a, const number_in_zone& b) const {
    const std::optional<wide_range> of_a = reader_.range_of_number(a);
    const std::optional<wide_range> of_b = reader_.range_of_number(b);
    if (!of_a || !of_b) return false;
    const auto lies_between = [](const wide_range& range) {
      return range.low > lowest_number && range.high < highest_number;
    };
    return (!reader_.may_saturate(a) && !reader_.may_saturate(b)) || lies_between(*of_a) || lies_between(*of_b);
  }

  // a < b is b - a - 1 >= 0, and its opposite a - b >= 0, for whole numbers; a fraction's step is its denominator.
  zone_reading comparison(std::size_t at, bool is_negated) {
    const formula_tree::node& node = formula_.nodes[at];
    const bool is_equality = node.sign == formula_sign::equal;
    const result& a = numbers_[node.left];
    const result& b = numbers_[node.right];
    if (!a || !b || !is_exact(*a, *b)) return unknown(at, is_negated);
    const bool takes_b_less = !is_equality && !is_negated;
    const result difference =
        takes_b_less ? reader_.sum_of(b, reader_.negative(a)) : reader_.sum_of(a, reader_.negative(b));
    if (!difference) return unknown(at, is_negated);
    open_comparison one{difference->line, difference->remainders, is_equality, true};
    if (takes_b_less) one.line.constant -= difference->denominator;
    if (is_equality && slope(one.line) < 0) turn(one);
    return compared(one, is_equality && is_negated);
  }

  // a == b is b == a.
  static void turn(open_comparison& one) {
    one.line = {-one.line.query, -one.line.key, -one.line.constant};
    for (line_remainder& part : one.remainders) part.factor = -part.factor;
  }

  zone_reading compared(open_comparison one, bool is_negated) const {
    const std::optional<wide_range> range = reader_.range_of_number({one.line, one.remainders, 1, {}});
    if (range) {
      const bool is_never = one.is_equality ? range->low > 0 || range->high < 0 : range->high < 0;
      const bool is_always = one.is_equality ? range->low == 0 && range->high == 0 : range->low >= 0;
      if (is_never || is_always) return decided(is_always != is_negated);
    }
    one.is_known = range.has_value();
    std::string text = text_of(one);
    return {verdict::some, is_negated ? "!" + text : text, {std::move(one)}};
  }

  zone_reading unknown(std::size_t at, bool is_negated) const {
    return {verdict::some, (is_negated ? "!" : "") + source(at), {open_comparison{}}};
  }

  static std::string line_text(const position_line& line) {
    return wide_text(line.query) + "q+" + wide_text(line.key) + "k+" + wide_text(line.constant);
  }

  static std::string text_of(open_comparison& one) {
    std::sort(one.remainders.begin(), one.remainders.end(), [](const line_remainder& a, const line_remainder& b) {
      const auto key = [](const line_remainder& part) {
        return std::tuple(part.divisor, part.of.query, part.of.key, part.of.constant, part.factor);
      };
      return key(a) < key(b);
    });
    std::string text = line_text(one.line);
    for (const line_remainder& part : one.remainders) {
      text += "+" + wide_text(part.factor) + "*(" + line_text(part.of) + ")%" + wide_text(part.divisor);
    }
    return text + (one.is_equality ? "==0" : ">=0");
  }

  // A part of the formula as it stands.
  [[nodiscard]] std::string source(std::size_t at) const {
    const formula_tree::node& node = formula_.nodes[at];
    std::string text = "[" + std::to_string(static_cast<int>(node.sign)) + ":" + wide_text(node.number);
    if (node.sign != formula_sign::number && node.sign != formula_sign::query && node.sign != formula_sign::key &&
        node.sign != formula_sign::truth) {
      text += source(node.left);
      if (node.right != node.left) text += source(node.right);
    }
    return text + "]";
  }

  const formula_tree& formula_;
  number_reader reader_;
  std::vector<result> numbers_;
};

}  // namespace

line_along along(const position_line& line) {
  if (line.query == 0 && line.key == 0) return line_along::nothing;
  if (line.key == 0) return line_along::query;
  if (line.query == 0) return line_along::key;
  return line.query == -line.key ? line_along::distance : line_along::mixture;
}

wide slope(const position_line& line) { return line.query != 0 ? line.query : line.key; }

std::optional<wide_range> range_of(const position_line& line, const zone& where) {
  const auto of = [&](wide a, const wide_range& x, wide b, const wide_range& y) -> std::optional<wide_range> {
    overflow failed;
    const auto end = [&](bool is_high) {
      const wide first = failed.product(a, (a > 0) == is_high ? x.high : x.low);
      const wide second = failed.product(b, (b > 0) == is_high ? y.high : y.low);
      return failed.sum(failed.sum(first, second), line.constant);
    };
    const wide_range range{end(false), end(true)};
    if (failed) return std::nullopt;
    return range;
  };
  // The same sum, of the query and the key, and of each of them and the distance.
  std::optional<wide_range> found;
  for (const std::optional<wide_range>& one : {of(line.query, where.query, line.key, where.key),
                                               of(line.query + line.key, where.query, -line.key, where.distance),
                                               of(line.query + line.key, where.key, line.query, where.distance)}) {
    if (!one) continue;
    if (!found) found = one;
    found->cut_to(one->low, one->high);
  }
  return found;
}

zone_reading read_in_zone(const formula_tree& formula, const zone& where) {
  return condition_reader(formula, where).read(formula.nodes.size() - 1, false);
}

}  // namespace axismask
