// Compares masks zone by zone.
#include "mask/mask_proof.hpp"

#include <limits>
#include <utility>
#include <vector>

#include "mask/zone_cut.hpp"
#include "mask/zone_reading.hpp"

namespace axismask {
namespace {

// Zones that are read for one answer; a thousand take some milliseconds.
constexpr int most_zones = 50000;

// Looks for a pair at which two masks differ, in all parts of a zone.
class search {
 public:
  search(const formula_tree& a, const formula_tree& b, int& zones_left) : a_(a), b_(b), zones_left_(zones_left) {}

  mask_comparison find(const zone& where) {
    parts_.assign(1, where);
    bool is_open = false;
    while (!parts_.empty()) {
      zone part = parts_.back();
      parts_.pop_back();
      if (!part.close()) continue;
      if (--zones_left_ < 0) return {};
      switch (compare(part)) {
        case likeness::alike:
          break;
        case likeness::different:
          return {likeness::different, part.first()};
        case likeness::unknown:
          is_open = !split(part) || is_open;
          break;
      }
    }
    return {is_open ? likeness::unknown : likeness::alike, std::nullopt};
  }

 private:
  likeness compare(const zone& part) {
    zone_reading a = read_in_zone(a_, part);
    zone_reading b = read_in_zone(b_, part);
    open_.clear();
    if (a.kept == b.kept && (a.kept != verdict::some || a.rest == b.rest)) return likeness::alike;
    if (a.kept != verdict::some && b.kept != verdict::some) return likeness::different;
    open_ = std::move(a.open);
    open_.insert(open_.end(), b.open.begin(), b.open.end());
    return likeness::unknown;
  }

  bool split(zone part) {
    std::optional<zone_cut> cut = cut_at_a_line(open_, part);
    if (!cut && cut_to_a_period(open_, part)) {
      parts_.push_back(part);
      return true;
    }
    if (!cut) cut = cut_at_a_multiple(open_, part);
    if (!cut) return false;
    zone upper = part;
    (upper.*cut->range).low = cut->begin;
    (part.*cut->range).high = cut->begin - 1;
    parts_.push_back(upper);
    parts_.push_back(part);  // the lower one is read first
    return true;
  }

  const formula_tree& a_;
  const formula_tree& b_;
  int& zones_left_;
  std::vector<zone> parts_;
  std::vector<open_comparison> open_;
};

// Of a zone in which masks differ, the pair that is nearest to 0.
class nearest_search {
 public:
  nearest_search(const formula_tree& a, const formula_tree& b, int& zones_left) : search_(a, b, zones_left) {}

  // `known` differs, and lies in the zone.
  mask_comparison find(zone where, position_pair known) {
    if (!settle(where, &zone::query, known, &position_pair::query) ||
        !settle(where, &zone::key, known, &position_pair::key)) {
      return {likeness::different, known};
    }
    return {likeness::different, known, true};
  }

 private:
  // Halves what lies between the pair and the end of the range that is nearest to 0, until nothing does. The zone is
  // cut to what is found. False when it is not certain.
  bool settle(zone& where, wide_range zone::* range, position_pair& known, wide position_pair::* position) {
    const bool goes_up = (where.*range).low >= 0;
    wide differs = known.*position;
    wide nearest = goes_up ? (where.*range).low : (where.*range).high;  // all before it are alike
    while (nearest != differs) {
      const wide middle = goes_up ? nearest + (differs - nearest) / 2 : nearest - (nearest - differs) / 2;
      zone part = where;
      if (goes_up) {
        (part.*range).cut_to(nearest, middle);
      } else {
        (part.*range).cut_to(middle, nearest);
      }
      const mask_comparison in_part = search_.find(part);
      if (in_part.found == likeness::unknown) return false;
      if (in_part.found == likeness::different) {
        known = *in_part.differing;
        differs = known.*position;
      } else {
        nearest = goes_up ? middle + 1 : middle - 1;
      }
    }
    where.*range = {differs, differs};
    return true;
  }

  search search_;
};

mask_comparison compare_and_settle(const formula_tree& a, const formula_tree& b, const zone& where) {
  int zones_left = most_zones;
  mask_comparison found = search(a, b, zones_left).find(where);
  if (found.found != likeness::different || !found.differing) return found;
  return nearest_search(a, b, zones_left).find(where, *found.differing);
}

// Negative positions, and the others that they meet, go no farther: with the very largest, the largest number of 64
// bits would be a limit, though it stands for none.
constexpr std::int64_t last_of_padding = std::int64_t{1} << 60;

mask_comparison compare_up_to(const formula_tree& a, const formula_tree& b, std::int64_t last) {
  const wide_range from_0_on{0, last};
  const wide_range some_from_0_on{0, last_of_padding};
  const wide_range below_0{-wide{last_of_padding}, -1};
  const wide_range any_distance{-2 * wide{last}, 2 * wide{last}};
  mask_comparison result = compare_and_settle(a, b, {from_0_on, from_0_on, any_distance});
  result.last = last;
  if (result.found == likeness::different) return result;
  result.are_alike_from_0_on = result.found == likeness::alike;
  for (const zone& padding : {zone{some_from_0_on, below_0, any_distance}, zone{below_0, some_from_0_on, any_distance},
                              zone{below_0, below_0, any_distance}}) {
    const mask_comparison found = compare_and_settle(a, b, padding);
    if (found.found == likeness::different) {
      result.found = likeness::different;
      result.differing = found.differing;
      return result;
    }
    if (found.found == likeness::unknown) result.found = likeness::unknown;
  }
  return result;
}

}  // namespace

mask_comparison compare_everywhere(const formula_tree& a, const formula_tree& b) {
  constexpr std::int64_t all = std::numeric_limits<std::int64_t>::max() - 1;
  constexpr std::int64_t fewer = last_of_padding;
  mask_comparison found = compare_up_to(a, b, all);
  const bool is_certain = found.found == likeness::alike ||
                          (found.found == likeness::different && (found.is_first || found.are_alike_from_0_on));
  return is_certain ? found : compare_up_to(a, b, fewer);
}

}  // namespace axismask
