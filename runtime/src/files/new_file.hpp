// A file that is written whole or not at all: beside the one that it is to be, and then put in its place.
#pragma once

#include <cstddef>
#include <cstdio>
#include <filesystem>
#include <string>

namespace axismask {

class new_file {
 public:
  // Opens a temporary file in the folder of `target`. Throws `error`, with this ID, when there can be no such file, as
  // its other functions do when it cannot be written.
  new_file(const std::filesystem::path& target, std::string error_id);
  new_file(const new_file&) = delete;
  new_file& operator=(const new_file&) = delete;
  // Removes the file, unless it is in its place.
  ~new_file();

  void write(const void* bytes, std::size_t size);
  // Puts the file in its place, over what is there.
  void place();

 private:
  [[noreturn]] void fail(const std::string& what, const std::string& cure) const;
  [[noreturn]] void fail_to_write() const;

  std::filesystem::path target_;
  std::string error_id_;
  std::filesystem::path path_;
  std::FILE* stream_ = nullptr;
  bool is_placed_ = false;
};

}  // namespace axismask
