// .npz archives: directories that lie, compressed members.
#include <array>

#include "array_file.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t bytes) {
  using namespace axismask::fuzz;  // NOLINT(google-build-using-namespace): a function of C
  static array_file given(".npz");
  static array_file again("_again.npy");
  constexpr std::array<const char*, 4> names{"x", "arr_0", "a/b", "mask"};
  if (bytes == 0) return 0;
  axismask::npy_array array;
  const bool is_read = succeeds([&] {
    const std::filesystem::path& archive = given.with(data + 1, bytes - 1);
    array = axismask::read_npy(archive / names.at(data[0] / 4 % 4), dtype_asked(data[0]));
  });
  // Deflate makes at most 1032 bytes of one.
  if (is_read) check_array(std::move(array), 1032 * bytes, again.with(nullptr, 0));
  return 0;
}
