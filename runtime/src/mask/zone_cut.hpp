// Where to cut a zone in which comparisons are open, or how to make it smaller without losing what they tell.
#pragma once

#include <optional>
#include <span>

#include "mask/zone_reading.hpp"

namespace axismask {

// One of a zone's ranges, and the first number of it that belongs to the upper part.
struct zone_cut {
  wide_range zone::* range;
  wide begin;
};

// A cut after which one of the comparisons is decided in one part, or in both. None when all that is left open of them
// goes up and down with remainders.
[[nodiscard]] std::optional<zone_cut> cut_at_a_line(std::span<const open_comparison> open, const zone& where);

// A cut at a multiple of the largest divisor. None when there is none.
[[nodiscard]] std::optional<zone_cut> cut_at_a_multiple(std::span<const open_comparison> open, const zone& where);

// Makes the zone smaller where the comparisons repeat themselves: to a part in which each combination of them comes
// that came before. False when it stays as it is.
[[nodiscard]] bool cut_to_a_period(std::span<const open_comparison> open, zone& where);

}  // namespace axismask
