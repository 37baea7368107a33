// Cuts zones at lines and multiples, and to periods.
#include "mask/zone_cut.hpp"

#include <algorithm>
#include <array>

#include "mask/wide_number.hpp"

namespace axismask {
namespace {

constexpr wide_range zone::* no_range = nullptr;

wide_range zone::* range_along(line_along what) {
  switch (what) {
    case line_along::query:
      return &zone::query;
    case line_along::key:
      return &zone::key;
    case line_along::distance:
      return &zone::distance;
    case line_along::nothing:
    case line_along::mixture:
      break;
  }
  return no_range;
}

// The first number x of the upper part where a * x + constant >= 0 changes.
wide change_of(wide a, wide constant) {
  return a > 0 ? ceiling_quotient(-constant, a) : floor_quotient(constant, -a) + 1;
}

// The least and the most that remainders add.
std::optional<wide_range> range_of_remainders(const open_comparison& one) {
  wide_range range{0, 0};
  overflow failed;
  for (const line_remainder& part : one.remainders) {
    wide& end = part.factor > 0 ? range.high : range.low;
    end = failed.sum(end, failed.product(part.factor, part.divisor - 1));
  }
  if (failed) return std::nullopt;
  return range;
}

// What a comparison's line and remainders become when a pair moves by one step.
struct direction {
  wide query;
  wide key;
};

wide change_along(const position_line& line, const direction& step) {
  return line.query * step.query + line.key * step.key;
}

// By how many steps all comparisons repeat themselves in a direction; none when they do not.
std::optional<wide> period_of(std::span<const open_comparison> open, const direction& step) {
  overflow failed;
  wide period = 1;
  for (const open_comparison& one : open) {
    if (!one.is_known || change_along(one.line, step) != 0) return std::nullopt;
    for (const line_remainder& part : one.remainders) {
      const wide change = change_along(part.of, step);
      period = failed.multiple(period, part.divisor / common_divisor(part.divisor, change));
      if (failed) return std::nullopt;
    }
  }
  return period;
}

// Cuts a range to its part from `begin` on, of the period's length; false when that is not all within it, or is no
// less than there is.
bool cut_range(wide_range& range, wide begin, wide end, wide period) {
  if (begin < range.low || begin + period > end + 1 || period >= range.high - range.low + 1) return false;
  range = {begin, begin + period - 1};
  return true;
}

// Comparisons of one range alone: each of its numbers is that of some pair.
bool cut_to_a_period_of_one_range(std::span<const open_comparison> open, zone& where) {
  line_along only = line_along::nothing;
  overflow failed;
  wide period = 1;
  for (const open_comparison& one : open) {
    if (!one.is_known || along(one.line) != line_along::nothing) return false;
    for (const line_remainder& part : one.remainders) {
      const line_along what = along(part.of);
      if (what == line_along::mixture || (only != line_along::nothing && what != only)) return false;
      only = what;
      period = failed.multiple(period, part.divisor / common_divisor(part.divisor, slope(part.of)));
    }
  }
  wide_range zone::* const range = range_along(only);
  if (failed || range == no_range) return false;
  return cut_range(where.*range, (where.*range).low, (where.*range).high, period);
}

// Comparisons that repeat themselves along queries and along keys: a square of periods has all their combinations.
bool cut_to_a_square(std::span<const open_comparison> open, zone& where) {
  const std::optional<wide> queries = period_of(open, {1, 0});
  const std::optional<wide> keys = period_of(open, {0, 1});
  if (!queries || !keys) return false;
  for (const wide key : {where.key.low, where.key.high - *keys + 1}) {
    if (key < where.key.low || key + *keys - 1 > where.key.high) continue;
    const wide query = std::max(where.query.low, key + *keys - 1 + where.distance.low);
    if (query + *queries - 1 > std::min(where.query.high, key + where.distance.high)) continue;
    const bool is_less =
        *queries < where.query.high - where.query.low + 1 || *keys < where.key.high - where.key.low + 1;
    if (!is_less) return false;
    where.query = {query, query + *queries - 1};
    where.key = {key, key + *keys - 1};
    return true;
  }
  return false;
}

}  // namespace

std::optional<zone_cut> cut_at_a_line(std::span<const open_comparison> open, const zone& where) {
  for (const open_comparison& one : open) {
    wide_range zone::* const range = range_along(along(one.line));
    if (!one.is_known || range == no_range) continue;
    const std::optional<wide_range> added = range_of_remainders(one);
    if (!added) continue;
    // Never from here on, always from there on; equal is neither less nor more.
    for (const wide constant :
         {one.line.constant + added->low, one.line.constant + added->high, one.line.constant + added->low - 1}) {
      if (!one.is_equality && constant == one.line.constant + added->low - 1) continue;
      const wide begin = change_of(slope(one.line), constant);
      if (begin > (where.*range).low && begin <= (where.*range).high) return zone_cut{range, begin};
    }
  }
  return std::nullopt;
}

std::optional<zone_cut> cut_at_a_multiple(std::span<const open_comparison> open, const zone& where) {
  std::optional<zone_cut> found;
  wide largest = 0;
  for (const open_comparison& one : open) {
    if (!one.is_known) continue;
    for (const line_remainder& part : one.remainders) {
      wide_range zone::* const range = range_along(along(part.of));
      const std::optional<wide_range> of = range_of(part.of, where);
      if (range == no_range || !of || part.divisor <= largest) continue;
      const wide multiple = (floor_quotient(of->low, part.divisor) + floor_quotient(of->high, part.divisor) + 1) / 2;
      const wide begin = change_of(slope(part.of), part.of.constant - multiple * part.divisor);
      if (begin <= (where.*range).low || begin > (where.*range).high) continue;
      found = zone_cut{range, begin};
      largest = part.divisor;
    }
  }
  return found;
}

bool cut_to_a_period(std::span<const open_comparison> open, zone& where) {
  if (cut_to_a_period_of_one_range(open, where)) return true;
  // Along the diagonal, at each distance; along queries, at each key; along keys, at each query. Where the part begins,
  // each number of the range that stays has a whole period.
  if (const std::optional<wide> period = period_of(open, {1, 1})) {
    const wide begin = std::max(where.query.low, where.key.low + where.distance.high);
    const wide end = std::min(where.query.high, where.key.high + where.distance.low);
    if (cut_range(where.query, begin, end, *period)) return true;
  }
  if (const std::optional<wide> period = period_of(open, {1, 0})) {
    const wide begin = std::max(where.query.low, where.key.high + where.distance.low);
    const wide end = std::min(where.query.high, where.key.low + where.distance.high);
    if (cut_range(where.query, begin, end, *period)) return true;
  }
  if (const std::optional<wide> period = period_of(open, {0, 1})) {
    const wide begin = std::max(where.key.low, where.query.high - where.distance.high);
    const wide end = std::min(where.key.high, where.query.low - where.distance.low);
    if (cut_range(where.key, begin, end, *period)) return true;
  }
  return cut_to_a_square(open, where);
}

}  // namespace axismask
