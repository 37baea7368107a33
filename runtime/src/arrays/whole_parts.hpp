// Parts of one size, of which the last is made up.
#pragma once

#include <cstdint>

namespace axismask {

// How many there are.
constexpr std::int64_t parts_of(std::int64_t count, std::int64_t size) { return (count + size - 1) / size; }

// How long they are together.
constexpr std::int64_t made_up(std::int64_t count, std::int64_t size) { return parts_of(count, size) * size; }

}  // namespace axismask
