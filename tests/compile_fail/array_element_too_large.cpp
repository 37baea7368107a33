// expect: axismask::dtype_of gives this element type a dtype of another size, and a call would reach past the array's end; give it a dtype that has as many bytes as the type
// expect clang: axismask: axismask::dtype_of gives this element type a dtype of another size, and a call would reach past the array's end; give it a dtype that has as many bytes as the type
// stands alone
// An array with elements whose dtype has fewer bytes than the type.
#include <cstdint>

#include "axismask/array.hpp"

using namespace axismask;

struct my_bfloat {
#ifdef AXISMASK_EXPECT_FAIL
  float value;
#else
  std::uint16_t bits;
#endif
};
template <>
struct axismask::dtype_of<my_bfloat> {
  static constexpr dtype value = dtype::bfloat16;
};

auto logits_of(std::int64_t tokens) { return named_array<my_bfloat, axes<"seq", "kv_seq">>({tokens, tokens}); }
