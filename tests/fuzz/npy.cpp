// .npy files: headers that lie, elements of every kind.
#include "array_file.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t bytes) {
  using namespace axismask::fuzz;  // NOLINT(google-build-using-namespace): a function of C
  static array_file given(".npy");
  static array_file again("_again.npy");
  if (bytes == 0) return 0;
  axismask::npy_array array;
  const bool is_read =
      succeeds([&] { array = axismask::read_npy(given.with(data + 1, bytes - 1), dtype_asked(data[0])); });
  if (is_read) check_array(std::move(array), bytes, again.with(nullptr, 0));
  return 0;
}
