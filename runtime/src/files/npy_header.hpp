// The header of an .npy file: what stands before the elements. A file is a magic string, a version, the length of a
// header, the header (a Python dict literal with the keys 'descr', 'fortran_order' and 'shape') and the elements.
//
// The room files/ reads and writes files of arrays and bytes; it knows dtypes and nothing of layers, specs or axes'
// names.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "axismask/arrays/dtype.hpp"

namespace axismask {

struct npy_header {
  std::string descr;
  bool fortran_order = false;
  std::vector<std::int64_t> sizes;
};

// A file, or an array of an .npz archive, that is read from its start. A length that the file does not have never
// becomes an allocation: whoever reads asks first how many bytes are left.
class npy_stream {
 public:
  // "a.npz/x" is the array x of the archive a.npz. Throws `error` "npy-open" when there is no such file or array, or it
  // cannot be read, and "npy-format" for an archive that cannot be.
  explicit npy_stream(const std::filesystem::path& file);

  [[nodiscard]] const std::string& name() const { return name_; }
  [[nodiscard]] std::uint64_t size() const { return size_; }
  [[nodiscard]] std::uint64_t bytes_read() const { return bytes_read_; }
  [[nodiscard]] std::uint64_t bytes_left() const { return size_ - bytes_read_; }
  // Reads `size` bytes; false when the file ends before.
  [[nodiscard]] bool read(void* to, std::uint64_t size);

 private:
  std::string name_;
  std::ifstream stream_;
  bool is_member_ = false;  // of an archive, and then in memory
  std::string member_;
  std::uint64_t size_ = 0;
  std::uint64_t bytes_read_ = 0;
};

// Reads a file up to its elements. Throws `error`, whose WHERE is the file.
[[nodiscard]] npy_header read_npy_header(npy_stream& stream);

// Strides in elements of an array in C or Fortran order.
[[nodiscard]] std::vector<std::int64_t> dense_strides(std::span<const std::int64_t> sizes, bool fortran_order);

// The start of a file, up to its elements: NumPy's own bytes. `descr` is NumPy's spelling of their type.
[[nodiscard]] std::string npy_header_bytes(std::string_view descr, bool fortran_order,
                                           std::span<const std::int64_t> sizes);

}  // namespace axismask
