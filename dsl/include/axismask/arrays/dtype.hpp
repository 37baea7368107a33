// Element types: how many bits, and which numbers. A mask moves bits and computes nothing on values, so the 16-bit
// floats are storage only.
#pragma once

#include <array>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <type_traits>

namespace axismask {

// The type of an array's elements. A new one needs an entry in `info`, and stands before `boolean`.
enum class dtype : std::uint8_t { float16, bfloat16, float32, float64, int32, int64, boolean };

struct dtype_info {
  std::string_view name;  // NumPy's; bfloat16 has none there
  int bytes = 0;          // of one element
  bool is_float = false;
  int significand_bits = 0;  // floats: with the hidden bit
  int exponent_bits = 0;     // floats
};

// Exhaustive: the compiler finds a dtype without an entry.
[[nodiscard]] constexpr dtype_info info(dtype type) {
  switch (type) {
    case dtype::float16:
      return {.name = "float16", .bytes = 2, .is_float = true, .significand_bits = 11, .exponent_bits = 5};
    case dtype::bfloat16:
      return {.name = "bfloat16", .bytes = 2, .is_float = true, .significand_bits = 8, .exponent_bits = 8};
    case dtype::float32:
      return {.name = "float32", .bytes = 4, .is_float = true, .significand_bits = 24, .exponent_bits = 8};
    case dtype::float64:
      return {.name = "float64", .bytes = 8, .is_float = true, .significand_bits = 53, .exponent_bits = 11};
    case dtype::int32:
      return {.name = "int32", .bytes = 4};
    case dtype::int64:
      return {.name = "int64", .bytes = 8};
    case dtype::boolean:
      return {.name = "bool", .bytes = 1};
  }
  return {};
}

// Every dtype, for what is to be done or checked for each.
inline constexpr auto all_dtypes = [] {
  std::array<dtype, static_cast<std::size_t>(dtype::boolean) + 1> types{};
  for (std::size_t index = 0; index < types.size(); ++index) types[index] = static_cast<dtype>(index);
  return types;
}();
static_assert(info(static_cast<dtype>(all_dtypes.size())).bytes == 0, "axismask: a new dtype stands before boolean");

// The bits of an IEEE half and of a bfloat16. The compiler's own `_Float16` and `__bf16` are known where it has them;
// for a half type of your own, specialise dtype_of below.
struct float16 {
  std::uint16_t bits;
};
struct bfloat16 {
  std::uint16_t bits;
};

// The dtype of a C++ element type. A specialisation makes another type known:
//   template <> struct axismask::dtype_of<my::half> { static constexpr dtype value = dtype::float16; };
// The type must have as many bytes as the dtype.
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
// g++ 12 has the macro for 64-bit ARM too, and not the type.
#if defined(__FLT16_MANT_DIG__) && (defined(__clang__) || defined(__SSE2__) || __GNUC__ >= 13)
template <>
struct dtype_of<_Float16> {
  static constexpr dtype value = dtype::float16;
};
#endif
// clang has the type without the macro, and so has g++ 12 for 64-bit ARM.
#if defined(__BFLT16_MANT_DIG__) || defined(__aarch64__) || (defined(__clang__) && defined(__SSE2__))
template <>
struct dtype_of<__bf16> {
  static constexpr dtype value = dtype::bfloat16;
};
#endif
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

// Memory of 16-bit floats that their owner keeps under another name, such as std::uint16_t, or behind void*.
template <class T>
concept memory_of_halves = std::is_void_v<T> || requires { requires sizeof(T) == 2; };

// Sees such memory as elements of a dtype: named_view<float16, axes<"seq", "kv_seq">>(as_float16(pointer), {4, 4}).
template <memory_of_halves T>
[[nodiscard]] auto* as_float16(T* memory) {
  return reinterpret_cast<std::conditional_t<std::is_const_v<T>, const float16, float16>*>(memory);
}
template <memory_of_halves T>
[[nodiscard]] auto* as_bfloat16(T* memory) {
  return reinterpret_cast<std::conditional_t<std::is_const_v<T>, const bfloat16, bfloat16>*>(memory);
}

template <class T>
concept element = requires {
  { dtype_of<T>::value } -> std::convertible_to<dtype>;
};

// The dtype of an array's elements: `dtype_of`, checked. Everything that reads or writes a `T` as its dtype asks here.
// A template of its own, so that a mistake is told once for each type.
template <class T>
struct element_dtype {
  static_assert(element<T>,
                "axismask: an array holds float, double, float16, bfloat16, a signed 32- or 64-bit integer or bool; "
                "for another type specialise axismask::dtype_of");
  static constexpr dtype value{};
  static constexpr bool is_checked = true;  // for a check where the value is not needed
};
template <element T>
struct element_dtype<T> {
  static_assert(sizeof(T) == static_cast<std::size_t>(info(dtype_of<T>::value).bytes),
                "axismask: axismask::dtype_of gives this element type a dtype of another size, and a call would reach "
                "past the array's end; give it a dtype that has as many bytes as the type");
  static constexpr dtype value = dtype_of<T>::value;
  static constexpr bool is_checked = true;
};

}  // namespace axismask
