// What the property tests share: arithmetic in 128 bits, where nothing here overflows, and 64-bit numbers that come
// near all the places where something could.
#pragma once

#include <rapidcheck.h>

#include <cstdint>
#include <limits>

namespace axismask {

__extension__ using wide = __int128;

// rapidcheck's own numbers are small ones, mostly; these are small, or near an end or a power of two, or any.
inline rc::Gen<std::int64_t> any_int64() {
  const auto near = [](std::int64_t middle) {
    return rc::gen::map(rc::gen::inRange<std::int64_t>(-3, 4), [middle](std::int64_t offset) {
      const wide number = wide(middle) + offset;
      if (number < std::numeric_limits<std::int64_t>::min()) return std::numeric_limits<std::int64_t>::min();
      if (number > std::numeric_limits<std::int64_t>::max()) return std::numeric_limits<std::int64_t>::max();
      return static_cast<std::int64_t>(number);
    });
  };
  return rc::gen::oneOf(rc::gen::inRange<std::int64_t>(-20, 20), near(std::numeric_limits<std::int64_t>::min()),
                        near(std::numeric_limits<std::int64_t>::max()), near(std::int64_t{1} << 31),
                        near(-(std::int64_t{1} << 31)), near(std::int64_t{1} << 62), near(-(std::int64_t{1} << 62)),
                        rc::gen::inRange<std::int64_t>(std::numeric_limits<std::int64_t>::min(),
                                                       std::numeric_limits<std::int64_t>::max()));
}

}  // namespace axismask
