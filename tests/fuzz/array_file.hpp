// A file for readers of arrays, which is written anew for each input.
#pragma once

#include <unistd.h>

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <optional>
#include <string>

#include "axismask/npy.hpp"
#include "must.hpp"

namespace axismask::fuzz {

using namespace test;  // NOLINT(google-build-using-namespace): must

class array_file {
 public:
  explicit array_file(const std::string& ending)
      : path_(std::filesystem::temp_directory_path() / ("axismask_fuzz_" + std::to_string(::getpid()) + ending)) {}
  array_file(const array_file&) = delete;
  array_file& operator=(const array_file&) = delete;
  ~array_file() { std::filesystem::remove(path_); }

  const std::filesystem::path& with(const std::uint8_t* data, std::size_t bytes) {
    std::FILE* const file = std::fopen(path_.c_str(), "wb");
    must(file != nullptr && std::fwrite(data, 1, bytes, file) == bytes && std::fclose(file) == 0,
         "a file can be written");
    return path_;
  }

 private:
  std::filesystem::path path_;
};

inline std::optional<dtype> dtype_asked(std::uint8_t number) {
  switch (number % 4) {
    case 0:
      return dtype::bfloat16;
    case 1:
      return dtype::float16;
    case 2:
      return dtype::float32;
    default:
      return std::nullopt;
  }
}

// An array that was read: it has no more elements than the file has bytes (`most`), all can be read, and what is
// written of it is read again with the same bytes.
inline void check_array(npy_array array, std::size_t most, const std::filesystem::path& again) {
  std::size_t count = 1;
  for (const std::int64_t size : array.sizes) {
    must(size >= 0, "a size is no negative number");
    count *= static_cast<std::size_t>(size);
  }
  must(count <= most, "an array has no more elements than there are bytes");
  const std::size_t bytes = count * static_cast<std::size_t>(info(array.type).bytes);
  const std::string before(reinterpret_cast<const char*>(array.memory.get()), bytes);
  write_npy(again, array.type, array.sizes, array.strides, array.memory.get());
  const npy_array read = read_npy(again, array.type == dtype::bfloat16 ? std::optional(dtype::bfloat16) : std::nullopt);
  must(read.type == array.type && read.sizes == array.sizes, "what was written is read alike");
  must(count == 0 || std::string(reinterpret_cast<const char*>(read.memory.get()), bytes) == before,
       "what was written has the same bytes");
  succeeds([&] { static_cast<void>(as_mask(std::move(array), "fuzz")); });
}

}  // namespace axismask::fuzz
