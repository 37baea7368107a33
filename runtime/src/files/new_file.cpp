// A file that is written whole or not at all.
#include "files/new_file.hpp"

#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <system_error>
#include <utility>

#include "axismask/messages/error.hpp"

namespace axismask {

namespace fs = std::filesystem;

new_file::new_file(const fs::path& target, std::string error_id) : target_(target), error_id_(std::move(error_id)) {
  const fs::path folder = target.has_parent_path() ? target.parent_path() : fs::path(".");
  std::error_code failure;
  if (!fs::is_directory(folder, failure)) {
    fail("there is no folder " + folder.string(), "make the folder, or write to another");
  }
  // A rename would replace even a device such as /dev/null.
  if (fs::exists(target, failure) && !fs::is_regular_file(target, failure)) {
    fail("it is there, and is not a regular file", "write to a file");
  }
  // "x" makes the file only when there is none of that name, so two writers never share one.
  for (int attempt = 0; stream_ == nullptr; ++attempt) {
    path_ = folder / (".axismask-" + std::to_string(getpid()) + "-" + std::to_string(attempt) + ".tmp");
    stream_ = std::fopen(path_.c_str(), "wbx");
    if (stream_ == nullptr && errno != EEXIST) {
      fail(std::string("its folder cannot be written to (") + std::strerror(errno) + ")", "write to another folder");
    }
  }
  std::setvbuf(stream_, nullptr, _IONBF, 0);  // the bytes go straight to the system
}

new_file::~new_file() {
  if (stream_ != nullptr) std::fclose(stream_);
  if (!is_finished_) std::remove(path_.c_str());
}

void new_file::write(const void* bytes, std::size_t size) {
  if (std::fwrite(bytes, 1, size, stream_) != size) fail_to_write();
}

void new_file::finish() {
  if (std::fclose(std::exchange(stream_, nullptr)) != 0 || std::rename(path_.c_str(), target_.c_str()) != 0) {
    fail_to_write();
  }
  is_finished_ = true;
}

void new_file::fail(const std::string& what, const std::string& cure) const {
  throw error(error_id_, target_.string(), what, cure);
}

void new_file::fail_to_write() const {
  fail(std::string("it cannot be written (") + std::strerror(errno) + ")", "make room, or write to another folder");
}

}  // namespace axismask
