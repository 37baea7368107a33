// What becomes of each dtype in a call: how kernels see its elements, and how the runtime reads those of an operand. A
// dtype that is added is asked for here by the compiler.
#pragma once

#include <HalideRuntime.h>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>

#include "axismask/arrays/dtype.hpp"
#include "axismask/messages/error.hpp"

namespace axismask {

// Kernels move the bits of floats, and compute nothing with them.
[[nodiscard]] constexpr halide_type_t kernel_element_type(dtype type) {
  halide_type_code_t code = halide_type_uint;
  switch (type) {
    case dtype::float16:
    case dtype::bfloat16:
    case dtype::float32:
    case dtype::float64:
    case dtype::boolean:
      break;
    case dtype::int32:
    case dtype::int64:
      code = halide_type_int;
      break;
  }
  return {code, static_cast<std::uint8_t>(8 * info(type).bytes), 1};
}

// A boolean in memory: whatever is not 0 is true.
struct boolean_byte {
  std::uint8_t byte;

  constexpr operator std::int64_t() const { return byte != 0 ? 1 : 0; }  // NOLINT: read as a number, like the others
};

// Calls visit(Number()) with the type that an operand's elements have in memory.
template <class Visit>
auto with_number_type(dtype type, Visit visit) {
  switch (type) {
    // NOLINTNEXTLINE(bugprone-branch-clone): the branches differ in the type
    case dtype::int32:
      return visit(std::int32_t());
    case dtype::int64:
      return visit(std::int64_t());
    case dtype::boolean:
      return visit(boolean_byte());
    case dtype::float16:
    case dtype::bfloat16:
    case dtype::float32:
    case dtype::float64:
      break;
  }
  throw error("positions-dtype", "operand", "it holds " + std::string(info(type).name), "give integers or booleans");
}

// One number of an operand.
[[nodiscard]] inline std::int64_t number_at(dtype type, const std::byte* at) {
  return with_number_type(type, [at](auto number) {
    std::memcpy(&number, at, sizeof number);
    return static_cast<std::int64_t>(number);
  });
}

}  // namespace axismask
