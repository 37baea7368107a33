// Reading and writing NumPy's .npy files: their elements, and what of a header has to do with them. Memory is asked for
// only when the file is known to hold that many bytes.
#include "axismask/npy.hpp"

#include <algorithm>
#include <string>
#include <string_view>
#include <utility>

#include "axismask/messages/error.hpp"
#include "files/new_file.hpp"
#include "files/npy_elements.hpp"
#include "files/npy_header.hpp"

namespace axismask {
namespace {

// The number of bytes of the elements. Sizes of 0 are left out of the check for overflow alone: then the strides of
// an empty array, and whoever multiplies its sizes, are safe too.
std::uint64_t data_bytes(const npy_header& header, int bytes_of_one, const std::string& file) {
  std::int64_t bytes = bytes_of_one;
  bool is_empty = false;
  for (const std::int64_t size : header.sizes) {
    if (size == 0) {
      is_empty = true;
    } else if (__builtin_mul_overflow(bytes, size, &bytes)) {
      throw error("npy-format", file, "its shape " + shape_text(header.sizes) + " is more than any memory holds",
                  "write the file again with numpy.save");
    }
  }
  return is_empty ? 0 : static_cast<std::uint64_t>(bytes);
}

// Do the strides lead to the same elements as the dense ones? Those of an axis of size 1, or of any axis of an empty
// array, are never used.
bool is_dense(std::span<const std::int64_t> sizes, std::span<const std::int64_t> strides, bool fortran_order) {
  if (std::find(sizes.begin(), sizes.end(), 0) != sizes.end()) return true;
  const std::vector<std::int64_t> dense = dense_strides(sizes, fortran_order);
  for (std::size_t axis = 0; axis < sizes.size(); ++axis) {
    if (sizes[axis] != 1 && strides[axis] != dense[axis]) return false;
  }
  return true;
}

// The number of bytes of the elements, of which the file has as many left.
std::uint64_t checked_data_bytes(const npy_header& header, const npy_elements& elements, const npy_stream& stream) {
  // Elements become no wider than 8 bytes.
  (void)data_bytes(header, 8, stream.name());
  const std::uint64_t bytes = data_bytes(header, elements.bytes, stream.name());
  const std::uint64_t left = stream.bytes_left();
  if (left == bytes) return bytes;
  throw error(left < bytes ? "npy-truncated" : "npy-format", stream.name(),
              "the shape " + shape_text(header.sizes) + " of '" + header.descr + "' needs " + std::to_string(bytes) +
                  " bytes, and the file has " + std::to_string(left),
              "copy or write the file again");
}

}  // namespace

any_view npy_array::view(std::span<const std::string_view> axes) const {
  if (axes.size() != sizes.size()) {
    throw error("array-rank", "array",
                std::to_string(axes.size()) + " names are given for the shape " + shape_text(sizes),
                "name each axis, in the file's order");
  }
  std::vector<named_axis> named;
  for (std::size_t axis = 0; axis < axes.size(); ++axis) named.push_back({axes[axis], sizes[axis], strides[axis]});
  return {memory.get(), type, named};
}

npy_array read_npy(const std::filesystem::path& file, std::optional<dtype> as) {
  npy_stream stream(file);
  npy_header header = read_npy_header(stream);
  npy_array array;
  const npy_elements elements = elements_of(header.descr, as, stream.name());
  array.type = elements.type;
  if (header.sizes.size() > any_view::max_rank) {
    throw error("npy-format", stream.name(),
                "its array has " + std::to_string(header.sizes.size()) + " axes, and at most " +
                    std::to_string(any_view::max_rank) + " are possible",
                "reshape the array");
  }
  const std::uint64_t bytes = checked_data_bytes(header, elements, stream);
  array.strides = dense_strides(header.sizes, header.fortran_order);
  array.sizes = std::move(header.sizes);
  array.memory = std::make_unique_for_overwrite<std::byte[]>(bytes);
  if (!stream.read(array.memory.get(), bytes)) {
    throw error(
        "npy-truncated", stream.name(),
        "it ended after " + std::to_string(stream.bytes_read()) + " of " + std::to_string(stream.size()) + " bytes",
        "copy or write the file again");
  }
  const auto count = static_cast<std::int64_t>(bytes / static_cast<std::uint64_t>(elements.bytes));
  array.memory = converted(std::move(array.memory), count, elements, stream.name());
  return array;
}

void write_npy(const std::filesystem::path& file, dtype type, std::span<const std::int64_t> sizes,
               std::span<const std::int64_t> strides, const void* data) {
  const std::string name = file.string();
  const bool c_order = is_dense(sizes, strides, false);
  if (!c_order && !is_dense(sizes, strides, true)) {
    throw error("npy-write", name, "the array is neither in C order nor in Fortran order", "copy it to a dense array");
  }

  std::size_t bytes = static_cast<std::size_t>(info(type).bytes);
  for (const std::int64_t size : sizes) bytes *= static_cast<std::size_t>(size);
  const std::string header = npy_header_bytes(descr_of(type), !c_order, sizes);

  new_file output(file, "npy-write");
  output.write(header.data(), header.size());
  output.write(data, bytes);
  output.finish();
}

}  // namespace axismask
