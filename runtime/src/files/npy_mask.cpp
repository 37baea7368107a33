// Masks that are written as other numbers than booleans: as integers, or as floats that are added to logits.
#include <cmath>
#include <cstring>
#include <limits>
#include <string>
#include <utility>

#include "axismask/messages/error.hpp"
#include "axismask/messages/number_text.hpp"
#include "axismask/npy.hpp"
#include "files/npy_elements.hpp"

namespace axismask {
namespace {

// The number that a 2-byte float is.
double value_of(std::uint16_t bits, dtype type) {
  const int fraction_bits = info(type).significand_bits - 1;
  const int most = (1 << info(type).exponent_bits) - 1;
  const int bias = most / 2;
  const int exponent = bits >> fraction_bits & most;
  const int fraction = bits & ((1 << fraction_bits) - 1);
  const double sign = (bits & 0x8000) != 0 ? -1.0 : 1.0;
  if (exponent == most) return fraction != 0 ? std::numeric_limits<double>::quiet_NaN() : sign * HUGE_VAL;
  const int hidden = exponent == 0 ? 0 : 1 << fraction_bits;
  return sign * std::ldexp(hidden + fraction, (exponent == 0 ? 1 : exponent) - bias - fraction_bits);
}

double lowest_of(dtype type) {
  const int exponent = 1 << (info(type).exponent_bits - 1);
  return -std::ldexp(std::ldexp(1.0, info(type).significand_bits) - 1, exponent - info(type).significand_bits);
}

// One element as a number. Integers that a double does not hold exactly are neither 0 nor 1 either way.
double element_at(dtype type, const std::byte* at) {
  const auto read = [at](auto number) {
    std::memcpy(&number, at, sizeof number);
    return number;
  };
  switch (type) {
    case dtype::float16:
    case dtype::bfloat16:
      return value_of(read(std::uint16_t()), type);
    case dtype::float32:
      return static_cast<double>(read(float()));
    case dtype::float64:
      return read(double());
    case dtype::int32:
      return read(std::int32_t());
    case dtype::int64:
      return static_cast<double>(read(std::int64_t()));
    case dtype::boolean:
      return read(std::uint8_t()) != 0 ? 1 : 0;
  }
  return 0;
}

// "(0, 3)", of the element that is so far from the first.
std::string place_of(const npy_array& array, std::int64_t element) {
  std::vector<std::int64_t> index(array.sizes.size());
  for (std::size_t axis = 0; axis < index.size(); ++axis) {
    index[axis] = array.sizes[axis] == 1 ? 0 : element / array.strides[axis] % array.sizes[axis];
  }
  return shape_text(index);
}

}  // namespace

npy_array as_mask(npy_array array, const std::string& where) {
  if (array.type == dtype::boolean) return array;
  const bool is_added = info(array.type).is_float;
  const double lowest = is_added ? lowest_of(array.type) : 0;
  std::int64_t count = 1;
  for (const std::int64_t size : array.sizes) count *= size;
  auto kept = std::make_unique_for_overwrite<std::byte[]>(static_cast<std::size_t>(count));
  for (std::int64_t at = 0; at < count; ++at) {
    const double number = element_at(array.type, array.memory.get() + at * info(array.type).bytes);
    const bool is_kept = number == (is_added ? 0 : 1);
    const bool is_masked = is_added ? number == -HUGE_VAL || number == lowest : number == 0;
    if (!is_kept && !is_masked) {
      throw error("mask-value", where,
                  "its element " + place_of(array, at) + " is " + number_text(number) +
                      (is_added ? ", and a mask of floats has 0, which keeps, and -inf or the lowest " +
                                      std::string(info(array.type).name) + ", which mask"
                                : std::string(", and a mask of integers has 0 and 1")),
                  "make a mask of bool, true where logits are kept");
    }
    kept[static_cast<std::size_t>(at)] = static_cast<std::byte>(is_kept ? 1 : 0);
  }
  array.type = dtype::boolean;
  array.memory = std::move(kept);
  return array;
}

}  // namespace axismask
