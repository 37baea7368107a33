// NumPy's .npy and .npz files: reading and writing arrays of logits, positions and masks. The format is NumPy's NEP 1
// (numpy/lib/format.py). No C++ library for it in Debian reads half floats, bfloat16 and both orders, so it is ours.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "axismask/array.hpp"
#include "axismask/arrays/dtype.hpp"

namespace axismask {

// An array that was read from a file: its elements, in the order in which they stand there.
struct npy_array {
  dtype type = dtype::float32;
  std::vector<std::int64_t> sizes;    // of each axis, in elements
  std::vector<std::int64_t> strides;  // in elements; Fortran order has the first axis contiguous
  std::unique_ptr<std::byte[]> memory;

  // Returns a view of the array with these names for its axes, one for each. The names must outlive the view.
  [[nodiscard]] any_view view(std::span<const std::string_view> axes) const;
};

// Reads a file of version 1.0, 2.0 or 3.0, in C or Fortran order and either byte order, whose elements are bool,
// integers or floats of up to 64 bits, however numpy.dtype spells them, or bfloat16. Integers come as int32, or int64
// where int32 does not hold all numbers of their type. bfloat16 is what ml_dtypes writes, 2-byte void ("<V2" or "|V2");
// `as` says that 2-byte elements of any kind are bfloat16 or float16, and for other elements it must be the dtype that
// they come as. "a.npz/x" is the array x of the archive a.npz, compressed or not.
// Throws `error`, whose WHERE is the file: "npy-open" when there is nothing to read, "npy-dtype" for other elements,
// "npy-value" for a number that int64 does not hold, "npy-truncated" for a file that is shorter than its header says,
// "npy-format" for anything else.
[[nodiscard]] npy_array read_npy(const std::filesystem::path& file, std::optional<dtype> as = std::nullopt);

// Makes a mask of bool, true where logits are kept, of one that holds bool; integers, 1 where they are kept and 0
// elsewhere; or floats to be added to logits, 0 where they are kept, -inf or the dtype's lowest number elsewhere.
// Throws `error` "mask-value" with this WHERE, which names the first other element.
[[nodiscard]] npy_array as_mask(npy_array array, const std::string& where = "array");

// Writes a version 1.0 file in C order, or in Fortran order when the strides are that; bfloat16 as "|V2". The file
// is written whole or not at all: under a temporary name in the same folder, and then renamed, which replaces a file of
// that name. Sizes and strides are in elements. Throws `error` "npy-write", whose WHERE is the file.
void write_npy(const std::filesystem::path& file, dtype type, std::span<const std::int64_t> sizes,
               std::span<const std::int64_t> strides, const void* data);

// An array in C order for an archive, or for a file of its own. `dtype` is any spelling that numpy.dtype takes for
// bool, integers and floats of up to 64 bits: "int32", "<i4".
struct npz_array {
  std::string_view name;
  std::string_view dtype;
  std::span<const std::int64_t> sizes;
  const void* data = nullptr;
};

// Writes an archive of arrays as numpy.savez does, stored and not compressed, in their order. The same arrays make the
// same bytes. The file is written as write_npy writes one. Throws `error`, whose WHERE is the file: "npy-write", and
// "npy-dtype" for a dtype that there is not.
void write_npz(const std::filesystem::path& file, std::span<const npz_array> arrays);

// Writes one of them as a .npy file; its name is not looked at. Throws what write_npz throws.
void write_npy(const std::filesystem::path& file, const npz_array& array);

}  // namespace axismask
