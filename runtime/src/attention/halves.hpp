// float32 as 16-bit floats, rounded to nearest, ties to even. Attention's kernels read such numbers, and what is
// written of them is the result only, so that a loop without vectors does.
#pragma once

#include <bit>
#include <cstdint>

namespace axismask {

[[nodiscard]] inline std::uint16_t bfloat16_of(float number) {
  const auto bits = std::bit_cast<std::uint32_t>(number);
  if (number != number) return static_cast<std::uint16_t>((bits >> 16U) | 0x40U);  // a NaN stays one
  return static_cast<std::uint16_t>((bits + 0x7fffU + ((bits >> 16U) & 1U)) >> 16U);
}

[[nodiscard]] inline std::uint16_t float16_of(float number) {
  const auto bits = std::bit_cast<std::uint32_t>(number);
  const std::uint32_t sign = (bits >> 16U) & 0x8000U;
  std::uint32_t magnitude = bits & 0x7fffffffU;
  if (magnitude > 0x7f800000U) return static_cast<std::uint16_t>(sign | 0x7e00U);
  if (magnitude >= 0x477ff000U) return static_cast<std::uint16_t>(sign | 0x7c00U);  // rounds to more than the largest
  if (magnitude < 0x38800000U) {  // subnormal: in steps of 2^-24, which the processor rounds when 0.5 is added
    const float steps = std::bit_cast<float>(magnitude) + 0.5F;
    return static_cast<std::uint16_t>(sign | (std::bit_cast<std::uint32_t>(steps) - 0x3f000000U));
  }
  magnitude += 0xfffU + ((magnitude >> 13U) & 1U);
  return static_cast<std::uint16_t>(sign | ((magnitude - 0x38000000U) >> 13U));
}

[[nodiscard]] inline float number_of_bfloat16(std::uint16_t bits) {
  return std::bit_cast<float>(static_cast<std::uint32_t>(bits) << 16U);
}

[[nodiscard]] inline float number_of_float16(std::uint16_t bits) {
  const std::uint32_t magnitude = (bits & 0x7fffU) << 13U;
  const std::uint32_t sign = (bits & 0x8000U) << 16U;
  // The exponent is 112 less than a float's; an infinity or a NaN keeps all its bits set.
  const std::uint32_t scaled = magnitude < (0x7c00U << 13U)
                                   ? std::bit_cast<std::uint32_t>(std::bit_cast<float>(magnitude) * 0x1p112F)
                                   : magnitude | 0x7f800000U;
  return std::bit_cast<float>(scaled | sign);
}

}  // namespace axismask
