// A file that is written whole or not at all: without a name in the same folder, where the file system has such files,
// so that no half file is left of a program that is killed; else under a temporary one. It gets its name when it is
// finished.
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
  // Removes the file, unless it is finished.
  ~new_file();

  void write(const void* bytes, std::size_t size);
  // Gives the file its name. A file of that name is replaced.
  void finish();

 private:
  [[noreturn]] void fail(const std::string& what, const std::string& cure) const;
  [[noreturn]] void fail_to_write() const;
  [[nodiscard]] std::filesystem::path temporary_name();
  [[nodiscard]] bool is_linked_as(const std::filesystem::path& name) const;

  std::filesystem::path target_;
  std::string error_id_;
  std::filesystem::path folder_;
  int attempts_ = 0;
  std::filesystem::path path_;  // empty: it has no name
  std::FILE* stream_ = nullptr;
  bool is_finished_ = false;
};

}  // namespace axismask
