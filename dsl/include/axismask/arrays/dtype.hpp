// Element types: how many bits, and which numbers. A mask moves bits and computes nothing on values, so the 16-bit
// floats are storage only.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <type_traits>

namespace axismask {

enum class dtype : std::uint8_t { float16, bfloat16, float32, float64, int32, int64, boolean };

struct dtype_info {
  std::string_view name;
  int bytes;
  bool is_float;
  int significand_bits;  // floats: with the hidden bit
  int exponent_bits;     // floats
};

// One entry for each dtype, in the order of the enumeration.
inline constexpr std::array<dtype_info, 7> dtype_table{{
    {"float16", 2, true, 11, 5},
    {"bfloat16", 2, true, 8, 8},
    {"float32", 4, true, 24, 8},
    {"float64", 8, true, 53, 11},
    {"int32", 4, false, 0, 0},
    {"int64", 8, false, 0, 0},
    {"bool", 1, false, 0, 0},
}};

[[nodiscard]] constexpr const dtype_info& info(dtype type) { return dtype_table[static_cast<std::size_t>(type)]; }

// The bits of an IEEE half and of a bfloat16. For a half type of your own, specialise dtype_of below.
struct float16 {
  std::uint16_t bits;
};
struct bfloat16 {
  std::uint16_t bits;
};

// The dtype of a C++ element type. A specialisation makes another type known:
//   template <> struct axismask::dtype_of<my::half> { static constexpr dtype value = dtype::float16; };
template <class T>
struct dtype_of;
template <>
struct dtype_of<float16> {
  static constexpr dtype value = dtype::float16;
};
template <>
struct dtype_of<bfloat16> {
  static constexpr dtype value = dtype::bfloat16;
};
template <>
struct dtype_of<float> {
  static constexpr dtype value = dtype::float32;
};
template <>
struct dtype_of<double> {
  static constexpr dtype value = dtype::float64;
};
template <>
struct dtype_of<bool> {
  static constexpr dtype value = dtype::boolean;
};
template <class T>
  requires(std::is_integral_v<T> && std::is_signed_v<T> && (sizeof(T) == 4 || sizeof(T) == 8))
struct dtype_of<T> {
  static constexpr dtype value = sizeof(T) == 4 ? dtype::int32 : dtype::int64;
};

template <class T>
concept element = requires { dtype_of<T>::value; };

}  // namespace axismask
