// Reads zip archives: the directory at their end, and then one of the files.
#include "files/npz.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <fstream>
#include <limits>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include "axismask/messages/error.hpp"
#include "axismask/messages/text.hpp"
#include "files/checksum.hpp"
#include "files/inflate.hpp"
#include "files/npz_marks.hpp"

namespace axismask {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view npy_ending = ".npy";

struct damaged {};  // what is read is no archive, or not whole

struct member {
  std::string name;
  int method = 0;
  std::uint32_t checksum = 0;
  std::uint64_t packed_size = 0;
  std::uint64_t size = 0;
  std::uint64_t start = 0;  // of its own header
};

// The file's bytes. Nothing is read, and no memory asked for, beyond its end.
class archive {
 public:
  explicit archive(const fs::path& file) : stream_(file, std::ios::binary) {
    std::error_code failure;
    size_ = fs::file_size(file, failure);
    if (failure || !stream_) throw damaged();
  }

  [[nodiscard]] std::uint64_t size() const { return size_; }

  std::string read(std::uint64_t at, std::uint64_t size) {
    if (at > size_ || size > size_ - at) throw damaged();
    std::string bytes(size, '\0');
    stream_.clear();
    stream_.seekg(static_cast<std::streamoff>(at));
    stream_.read(bytes.data(), static_cast<std::streamsize>(size));
    if (static_cast<std::uint64_t>(stream_.gcount()) != size) throw damaged();
    return bytes;
  }

 private:
  std::ifstream stream_;
  std::uint64_t size_ = 0;
};

// A little-endian number of so many bytes.
std::uint64_t number_at(std::string_view bytes, std::size_t at, std::size_t size) {
  if (at > bytes.size() || size > bytes.size() - at) throw damaged();
  std::uint64_t number = 0;
  for (std::size_t byte = size; byte-- > 0;) number = number << 8 | static_cast<unsigned char>(bytes[at + byte]);
  return number;
}

struct directory_place {
  std::uint64_t start;
  std::uint64_t size;
};

// The record at the end, before a comment of at most 65535 bytes.
directory_place find_directory(archive& file) {
  constexpr std::uint64_t end_size = 22;
  constexpr std::uint64_t pointer_size = 20;
  const std::uint64_t tail_size = std::min<std::uint64_t>(file.size(), end_size + 65535);
  const std::uint64_t tail_start = file.size() - tail_size;
  const std::string tail = file.read(tail_start, tail_size);
  const std::size_t at = tail.rfind(npz::end_mark);
  if (at == std::string::npos) throw damaged();
  directory_place place{number_at(tail, at + 16, 4), number_at(tail, at + 12, 4)};
  if ((place.start != npz::in_wide_field && place.size != npz::in_wide_field) || tail_start + at < pointer_size)
    return place;
  const std::string pointer = file.read(tail_start + at - pointer_size, pointer_size);
  if (!pointer.starts_with(npz::wide_end_pointer_mark)) return place;
  const std::string wide_end = file.read(number_at(pointer, 8, 8), 56);
  if (!wide_end.starts_with(npz::wide_end_mark)) throw damaged();
  return {number_at(wide_end, 48, 8), number_at(wide_end, 40, 8)};
}

// The numbers that 32 bits do not hold stand in an extra field of kind 1, in this order.
void read_wide_sizes(std::string_view extra, member& one) {
  for (std::size_t at = 0; at + 4 <= extra.size();) {
    const std::uint64_t size = number_at(extra, at + 2, 2);
    if (number_at(extra, at, 2) == 1) {
      const std::string_view field = extra.substr(at + 4, size);
      std::size_t next = 0;
      for (std::uint64_t* number : {&one.size, &one.packed_size, &one.start}) {
        if (*number != npz::in_wide_field) continue;
        *number = number_at(field, next, 8);
        next += 8;
      }
    }
    at += 4 + size;
  }
}

std::vector<member> members_of(archive& file) {
  constexpr std::size_t entry_size = 46;
  const directory_place place = find_directory(file);
  const std::string directory = file.read(place.start, place.size);
  std::vector<member> members;
  for (std::size_t at = 0; at < directory.size();) {
    const std::string_view entry = std::string_view(directory).substr(at);
    if (!entry.starts_with(npz::entry_mark)) throw damaged();
    const std::uint64_t name_size = number_at(entry, 28, 2);
    const std::uint64_t extra_size = number_at(entry, 30, 2);
    const std::uint64_t end = entry_size + name_size + extra_size + number_at(entry, 32, 2);
    if (end > entry.size()) throw damaged();
    member one;
    one.name = entry.substr(entry_size, name_size);
    one.method = static_cast<int>(number_at(entry, 10, 2));
    one.checksum = static_cast<std::uint32_t>(number_at(entry, 16, 4));
    one.packed_size = number_at(entry, 20, 4);
    one.size = number_at(entry, 24, 4);
    one.start = number_at(entry, 42, 4);
    read_wide_sizes(entry.substr(entry_size + name_size, extra_size), one);
    members.push_back(std::move(one));
    at += end;
  }
  return members;
}

std::string bytes_of(archive& file, const member& one, const std::string& path) {
  constexpr std::uint64_t header_size = 30;
  const std::string header = file.read(one.start, header_size);
  if (!header.starts_with(npz::file_mark)) throw damaged();
  const std::uint64_t start = one.start + header_size + number_at(header, 26, 2) + number_at(header, 28, 2);
  std::string packed = file.read(start, one.packed_size);
  std::string bytes;
  if (one.method == 0) {
    bytes = std::move(packed);
  } else if (one.method == 8) {
    if (one.size > most_inflated) {
      throw error("npy-format", path, "it has " + std::to_string(one.size) + " bytes, and is compressed",
                  "write arrays of 2 GiB and more with numpy.save or numpy.savez");
    }
    std::optional<std::string> inflated = inflate(std::move(packed), one.size);
    if (!inflated) throw damaged();
    bytes = *std::move(inflated);
  } else {
    throw error("npy-format", path, "it is compressed by method " + std::to_string(one.method),
                "write the archive with numpy.savez or numpy.savez_compressed");
  }
  if (bytes.size() != one.size || checksum().add(bytes).value() != one.checksum) throw damaged();
  return bytes;
}

// An array's name, as numpy.load has it.
std::string_view array_name(std::string_view name) {
  if (name.ends_with(npy_ending)) name.remove_suffix(npy_ending.size());
  return name;
}

error damaged_archive(const std::string& where) {
  return {"npy-format", where, "the archive is damaged", "copy it or write it again"};
}

}  // namespace

std::optional<std::string> read_npz_member(const fs::path& path) {
  fs::path file = path.parent_path();
  std::error_code ignored;
  while (file.has_relative_path() && !fs::exists(file, ignored)) file = file.parent_path();
  if (!fs::is_regular_file(file, ignored)) return std::nullopt;
  const std::string wanted = path.string().substr(file.string().size() + 1);
  try {
    archive opened(file);
    if (opened.size() < npz::end_mark.size() || !opened.read(0, 2).starts_with("PK")) {
      throw error("npy-open", path.string(), file.string() + " is a file, and no .npz archive",
                  "give the path of an array");
    }
    const std::vector<member> members = members_of(opened);
    std::vector<std::string_view> names;
    // Of two of one name the last counts, as in Python.
    for (auto one = members.rbegin(); one != members.rend(); ++one) {
      if (one->name == wanted || array_name(one->name) == wanted) return bytes_of(opened, *one, path.string());
      names.insert(names.begin(), array_name(one->name));
    }
    throw error("npy-open", path.string(),
                "the archive has no array \"" + wanted + "\"" + did_you_mean(wanted, names).str(),
                "it has " + quoted_list(names).str());
  } catch (const damaged&) {
    throw damaged_archive(path.string());
  }
}

void refuse_npz(const std::string& file) {
  try {
    archive opened(file);
    const std::vector<member> members = members_of(opened);
    std::vector<std::string_view> names;
    for (const member& one : members) names.push_back(array_name(one.name));
    throw error(
        "npy-format", file, "it is an archive of arrays: " + quoted_list(names).str(),
        members.empty() ? "write an array with numpy.save" : "name one: " + file + "/" + std::string(names.front()));
  } catch (const damaged&) {
    return;  // whoever reads it says what it is not
  }
}

}  // namespace axismask
