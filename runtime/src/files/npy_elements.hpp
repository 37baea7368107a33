// The elements of an .npy file: how a header spells their type, and what they become in memory.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "axismask/arrays/dtype.hpp"

namespace axismask {

enum class npy_kind : std::uint8_t { boolean, signed_integer, unsigned_integer, floating, plain_bytes };

struct npy_elements {
  npy_kind kind = npy_kind::boolean;
  int bytes = 1;  // of one, in the file
  bool is_big_endian = false;
  dtype type = dtype::boolean;  // in memory: the narrowest that holds all of them
};

// What a header's descr says, or what the caller says of 2-byte elements: any spelling that numpy.dtype takes for
// booleans, integers and floats, and 2-byte void, which is what ml_dtypes writes for bfloat16. Throws `error`
// "npy-dtype", whose WHERE is the file.
[[nodiscard]] npy_elements elements_of(const std::string& descr, std::optional<dtype> as, const std::string& file);

// How new files spell a dtype.
[[nodiscard]] std::string_view descr_of(dtype type);

// The elements in memory, from those of the file in the same order. Throws `error` "npy-value", whose WHERE is the
// file, for an integer that int64 does not hold.
[[nodiscard]] std::unique_ptr<std::byte[]> converted(std::unique_ptr<std::byte[]> in_file, std::int64_t count,
                                                     const npy_elements& elements, const std::string& file);

// Python's way to write a tuple of sizes: "()", "(3,)", "(2, 3)".
[[nodiscard]] std::string shape_text(std::span<const std::int64_t> sizes);

// A piece of a file in a message: on one line, and not long.
[[nodiscard]] std::string excerpt(std::string_view text);

}  // namespace axismask
