// A masked value as the bits of an element: one rounding for every float format.
#include "arrays/masked_bits.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>
#include <string>

#include "axismask/call/call_breach.hpp"
#include "axismask/messages/error.hpp"
#include "axismask/messages/number_text.hpp"

namespace axismask {
namespace {

struct format {
  int fraction_bits;
  int exponent_bits;

  [[nodiscard]] std::uint64_t infinity() const { return ((std::uint64_t{1} << exponent_bits) - 1) << fraction_bits; }
  [[nodiscard]] std::uint64_t sign() const { return std::uint64_t{1} << (exponent_bits + fraction_bits); }
};

format format_of(dtype type) {
  const dtype_info of = info(type);
  if (!of.is_float) fail("logits-dtype", "logits", breach::logits_not_floats(type));
  return {of.significand_bits - 1, of.exponent_bits};
}

// The bits of the magnitude of a number that is not NaN; those of infinity when it rounds to more than the format has.
std::uint64_t rounded(double magnitude, const format& to) {
  if (std::isinf(magnitude)) return to.infinity();
  const int bias = (1 << (to.exponent_bits - 1)) - 1;
  // Of the number's leading bit; subnormals are all counted at the format's lowest exponent.
  const int exponent = std::max(std::ilogb(magnitude), 1 - bias);
  // Counted in the format's smallest steps at this exponent, the number is rounded as the processor rounds: to even.
  const double steps = std::nearbyint(std::scalbn(magnitude, to.fraction_bits - exponent));
  const auto significand = static_cast<std::uint64_t>(steps);
  // A normal significand carries the hidden bit, which adds one to the exponent field; a carry out of it does as well.
  const std::uint64_t bits = (static_cast<std::uint64_t>(exponent + bias - 1) << to.fraction_bits) + significand;
  return std::min(bits, to.infinity());
}

}  // namespace

std::uint64_t masked_bits(const masked_value& value, dtype type) {
  const format to = format_of(type);
  switch (value.means()) {
    case masked_value::meaning::lowest:
      return to.sign() | (to.infinity() - 1);
    case masked_value::meaning::minus_infinity:
      return to.sign() | to.infinity();
    case masked_value::meaning::number:
      break;
  }
  const double number = value.number();
  if (std::isnan(number)) return to.infinity() | (std::uint64_t{1} << (to.fraction_bits - 1));
  const std::uint64_t bits = rounded(std::fabs(number), to);
  if (bits == to.infinity() && std::isfinite(number)) {
    throw error(
        "masked-value-range", "masked_out_value",
        number_text(number) + " does not fit " + std::string(info(type).name) + " and would become infinite there",
        "take \"lowest\" for the lowest number of the logits' dtype, or \"-inf\" if that is meant");
  }
  return (std::signbit(number) ? to.sign() : 0) | bits;
}

}  // namespace axismask
