// What the values of a layer's attributes may be, for specs, edits and calls alike: each rule gives what is wrong, or
// nothing; the caller reports it with its own ID and WHERE.
#pragma once

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "axismask/call/call.hpp"
#include "axismask/call/call_breach.hpp"
#include "axismask/layer/layer_type.hpp"

namespace axismask {

// Every integer up to this magnitude is a double.
inline constexpr std::int64_t largest_exact_number = std::int64_t{1} << 53;

// The number as an integer, if it is one whose magnitude is at most `largest`.
[[nodiscard]] inline std::optional<std::int64_t> whole_number(double number,
                                                              std::int64_t largest = largest_exact_number) {
  if (std::trunc(number) != number || std::abs(number) > static_cast<double>(largest)) return {};
  return static_cast<std::int64_t>(number);
}

// What a parameter takes, after "give".
[[nodiscard]] inline std::string wanted_number(const attribute_record& parameter) {
  return "a whole number of at least " + std::to_string(parameter.lowest);
}

// `Number`: a whole number, or a double of a file that may be beyond those.
template <class Number>
[[nodiscard]] constexpr bool is_too_low(const attribute_record& parameter, Number number) {
  return number < static_cast<Number>(parameter.lowest);
}

// Of a number that is too low; `shown` is the number as it was written.
[[nodiscard]] inline breach::sentence number_too_low(const attribute_record& parameter, std::string_view shown) {
  phrase cure = phrase("give ") + wanted_number(parameter);
  if (parameter.name.find("window") != std::string_view::npos) {
    cure += parameter.lowest == 1 ? ", which sees the token itself only; for no window use ApplyCausalAttentionMask"
                                  : "; for no limit to that side give 9007199254740991, which is 2^53 - 1";
  }
  return {phrase("it is ") + shown, cure};
}

[[nodiscard]] inline std::optional<breach::sentence> breach_of_number(const attribute_record& parameter,
                                                                      std::int64_t number) {
  if (!is_too_low(parameter, number)) return {};
  return number_too_low(parameter, std::to_string(number));
}

// Two attributes that name axes and do not go together: queries and keys have two axes, and all masks of a composition
// the same two.
struct axis_clash {
  std::size_t first;
  std::size_t second;
  bool should_be_same;
};

// The first clash among the attributes from `begin` to `end`.
[[nodiscard]] inline std::optional<axis_clash> clash_of_axes(const layer_values& layer, std::size_t begin,
                                                             std::size_t end) {
  const std::span<const attribute_record> records = layer.type->attributes;
  for (std::size_t second = begin; second < end; ++second) {
    for (std::size_t first = begin; first < second; ++first) {
      if (!is_axis_name(records[first].kind) || !is_axis_name(records[second].kind)) continue;
      const bool should_be_same = records[first].kind == records[second].kind;
      const bool are_same = layer.attributes.at(first).name == layer.attributes.at(second).name;
      if (are_same != should_be_same) return axis_clash{first, second, should_be_same};
    }
  }
  return {};
}

}  // namespace axismask
