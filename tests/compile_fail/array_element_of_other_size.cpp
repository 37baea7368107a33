// expect: axismask::dtype_of gives this element type a dtype of another size, and a call would reach past the array's end; give it a dtype that has as many bytes as the type
// expect clang: axismask: axismask::dtype_of gives this element type a dtype of another size, and a call would reach past the array's end; give it a dtype that has as many bytes as the type
// stands alone
// An element type whose dtype has more bytes than the type.
#include <cstdint>

#include "axismask/array.hpp"

using namespace axismask;

struct my_half {
  std::uint16_t bits;
};
template <>
struct axismask::dtype_of<my_half> {
#ifdef AXISMASK_EXPECT_FAIL
  static constexpr dtype value = dtype::float32;
#else
  static constexpr dtype value = dtype::float16;
#endif
};

any_view logits_of(my_half* memory, std::int64_t tokens) {
  return named_view<my_half, axes<"seq", "kv_seq">>(memory, {tokens, tokens}).erased();
}
