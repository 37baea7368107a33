// A file that is written whole or not at all.
#include "files/new_file.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <system_error>
#include <utility>

#include "axismask/messages/error.hpp"

namespace axismask {

namespace fs = std::filesystem;

namespace {

const std::string path_of_descriptors = "/proc/self/fd/";

}  // namespace

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
  folder_ = folder;
  const bool can_be_named = ::access(path_of_descriptors.c_str(), X_OK) == 0;  // not without /proc
  const int nameless = can_be_named ? ::open(folder.c_str(), O_TMPFILE | O_WRONLY | O_CLOEXEC, 0666) : -1;
  if (nameless >= 0) {
    stream_ = ::fdopen(nameless, "wb");
    if (stream_ == nullptr) ::close(nameless);
  }
  // "x" makes the file only when there is none of that name, so two writers never share one.
  while (stream_ == nullptr) {
    path_ = temporary_name();
    stream_ = std::fopen(path_.c_str(), "wbxe");
    if (stream_ == nullptr && errno != EEXIST) {
      fail(std::string("its folder cannot be written to (") + std::strerror(errno) + ")", "write to another folder");
    }
  }
  std::setvbuf(stream_, nullptr, _IONBF, 0);  // the bytes go straight to the system
}

new_file::~new_file() {
  if (stream_ != nullptr) std::fclose(stream_);
  if (!is_finished_ && !path_.empty()) std::remove(path_.c_str());
}

fs::path new_file::temporary_name() {
  return folder_ / (".axismask-" + std::to_string(getpid()) + "-" + std::to_string(attempts_++) + ".tmp");
}

bool new_file::is_linked_as(const fs::path& name) const {
  const std::string nameless = path_of_descriptors + std::to_string(::fileno(stream_));
  return ::linkat(AT_FDCWD, nameless.c_str(), AT_FDCWD, name.c_str(), AT_SYMLINK_FOLLOW) == 0;
}

void new_file::write(const void* bytes, std::size_t size) {
  if (std::fwrite(bytes, 1, size, stream_) != size) fail_to_write();
}

void new_file::finish() {
  // Some file systems say only at a close that there was no room; a file without a name is open until it has one.
  const int copy = ::dup(::fileno(stream_));
  if (copy < 0 || ::close(copy) != 0) fail_to_write();
  if (path_.empty()) is_finished_ = is_linked_as(target_);
  // A link cannot take the place of a file, as a name can: it has a temporary one between two calls of the system.
  while (!is_finished_ && path_.empty()) {
    if (errno != EEXIST) fail_to_write();
    fs::path name = temporary_name();
    if (is_linked_as(name)) path_ = std::move(name);  // needs no memory: what is linked is never lost
  }
  if (!is_finished_ && std::rename(path_.c_str(), target_.c_str()) != 0) fail_to_write();
  is_finished_ = true;
}

void new_file::fail(const std::string& what, const std::string& cure) const {
  throw error(error_id_, target_.string(), what, cure);
}

void new_file::fail_to_write() const {
  fail(std::string("it cannot be written (") + std::strerror(errno) + ")", "make room, or write to another folder");
}

}  // namespace axismask
