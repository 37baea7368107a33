// A masked value as the bits of an element.
#pragma once

#include <cstdint>

#include "axismask/arrays/dtype.hpp"
#include "axismask/layer/attributes.hpp"

namespace axismask {

// The bits of `value` in a float dtype, rounded to nearest, ties to even. Throws `error` when it is a finite number
// that the dtype cannot hold.
[[nodiscard]] std::uint64_t masked_bits(const masked_value& value, dtype type);

}  // namespace axismask
