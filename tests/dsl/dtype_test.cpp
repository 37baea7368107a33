// Element types: the table of facts, and which C++ types have one.
#include "axismask/arrays/dtype.hpp"

#include <gtest/gtest.h>

#include <cstdint>
#include <limits>

// A half type of somebody else's, made known by a specialisation.
struct foreign_half {
  std::uint16_t bits;
};
template <>
struct axismask::dtype_of<foreign_half> {
  static constexpr dtype value = dtype::float16;
};

// A specialisation whose value is no dtype.
struct not_a_dtype {};
template <>
struct axismask::dtype_of<not_a_dtype> {
  static constexpr int value = 2;
};

namespace axismask {
namespace {

static_assert(dtype_of<float>::value == dtype::float32);
static_assert(dtype_of<double>::value == dtype::float64);
static_assert(dtype_of<float16>::value == dtype::float16);
static_assert(dtype_of<bfloat16>::value == dtype::bfloat16);
static_assert(dtype_of<bool>::value == dtype::boolean);
static_assert(dtype_of<std::int32_t>::value == dtype::int32);
static_assert(dtype_of<std::int64_t>::value == dtype::int64);
// Every signed type of the size, whichever the platform's int64_t is.
static_assert(dtype_of<long long>::value == dtype::int64);
static_assert(dtype_of<long>::value == (sizeof(long) == 8 ? dtype::int64 : dtype::int32));
static_assert(dtype_of<foreign_half>::value == dtype::float16);
// The compilers' own half types, where they are known to be: g++ has __bf16 from version 13 on.
#ifdef __x86_64__
static_assert(element_dtype<_Float16>::value == dtype::float16);
#if defined(__clang__) || __GNUC__ >= 13
static_assert(element_dtype<__bf16>::value == dtype::bfloat16);
#endif
#endif

static_assert(element<float> && element<bool> && element<foreign_half>);
static_assert(!element<std::uint32_t> && !element<std::uint64_t>);
static_assert(!element<std::int16_t> && !element<std::int8_t> && !element<char>);
static_assert(!element<not_a_dtype>);
static_assert(!element<long double> && !element<void> && !element<int*>);
// A view strips the const of its elements before it asks.
static_assert(!element<const float>);

static_assert(sizeof(float16) == 2 && sizeof(bfloat16) == 2);

template <class T>
constexpr bool bytes_are_right = info(dtype_of<T>::value).bytes == sizeof(T);
static_assert(bytes_are_right<float16> && bytes_are_right<bfloat16> && bytes_are_right<float> &&
              bytes_are_right<double> && bytes_are_right<std::int32_t> && bytes_are_right<std::int64_t> &&
              bytes_are_right<bool>);

template <class T>
constexpr bool significand_is_right = info(dtype_of<T>::value).significand_bits == std::numeric_limits<T>::digits;
static_assert(significand_is_right<float> && significand_is_right<double>);

// An IEEE float's largest exponent is 2^(exponent bits - 1).
template <class T>
constexpr bool exponent_is_right =
    1 << (info(dtype_of<T>::value).exponent_bits - 1) == std::numeric_limits<T>::max_exponent;
static_assert(exponent_is_right<float> && exponent_is_right<double>);

TEST(Dtype, NamesAreNumpysButForBfloat16) {
  EXPECT_EQ(info(dtype::float16).name, "float16");
  EXPECT_EQ(info(dtype::bfloat16).name, "bfloat16");
  EXPECT_EQ(info(dtype::float32).name, "float32");
  EXPECT_EQ(info(dtype::float64).name, "float64");
  EXPECT_EQ(info(dtype::int32).name, "int32");
  EXPECT_EQ(info(dtype::int64).name, "int64");
  EXPECT_EQ(info(dtype::boolean).name, "bool");
}

TEST(Dtype, FloatsFillTheirBits) {
  for (const dtype type : all_dtypes) {
    const dtype_info entry = info(type);
    if (entry.is_float) {
      // Sign, exponent, and the significand without its hidden bit.
      EXPECT_EQ(1 + entry.exponent_bits + entry.significand_bits - 1, 8 * entry.bytes) << entry.name;
    } else {
      EXPECT_EQ(entry.significand_bits, 0) << entry.name;
      EXPECT_EQ(entry.exponent_bits, 0) << entry.name;
    }
  }
}

}  // namespace
}  // namespace axismask
