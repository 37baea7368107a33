// Writes arrays of any dtype that NumPy has: .npy files, and zip archives of them. Sizes and places stand in the fields
// of ZIP64, small ones too, so that there is one form for all; numpy.savez writes its files' headers so.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "axismask/messages/error.hpp"
#include "axismask/npy.hpp"
#include "files/checksum.hpp"
#include "files/new_file.hpp"
#include "files/npy_elements.hpp"
#include "files/npy_header.hpp"
#include "files/npz_marks.hpp"

namespace axismask {
namespace {

// A record of little-endian numbers.
class record {
 public:
  explicit record(std::string_view mark) : bytes_(mark) {}
  record& number(std::uint64_t number, int size) {
    for (int byte = 0; byte < size; ++byte) bytes_ += static_cast<char>(number >> (8 * byte) & 0xff);
    return *this;
  }
  record& text(std::string_view text) {
    bytes_ += text;
    return *this;
  }
  [[nodiscard]] const std::string& bytes() const { return bytes_; }

 private:
  std::string bytes_;
};

struct written_member {
  std::string name;
  std::uint32_t checksum = 0;
  std::uint64_t size = 0;
  std::uint64_t start = 0;
};

// What a file's own header and its entry in the directory share: version 4.5, stored, at the earliest time that there
// is, so that the same arrays make the same archive.
void add_description(record& to, const written_member& one, std::uint64_t extra_size) {
  to.number(45, 2).number(0, 2).number(0, 2).number(0, 2).number(0x21, 2).number(one.checksum, 4);
  to.number(npz::in_wide_field, 4).number(npz::in_wide_field, 4).number(one.name.size(), 2).number(extra_size, 2);
}

std::string file_header(const written_member& one) {
  record header(npz::file_mark);
  add_description(header, one, 20);
  return header.text(one.name).number(1, 2).number(16, 2).number(one.size, 8).number(one.size, 8).bytes();
}

std::string directory_entry(const written_member& one) {
  record entry(npz::entry_mark);
  entry.number(45, 2);
  add_description(entry, one, 28);
  entry.number(0, 2).number(0, 2).number(0, 2).number(0, 4).number(npz::in_wide_field, 4);
  entry.text(one.name).number(1, 2).number(24, 2);
  return entry.number(one.size, 8).number(one.size, 8).number(one.start, 8).bytes();
}

// The record of ZIP64, where it is, and the old record, which points to them.
std::string directory_end(std::uint64_t count, std::uint64_t start, std::uint64_t size) {
  record end(npz::wide_end_mark);
  end.number(44, 8).number(45, 2).number(45, 2).number(0, 4).number(0, 4).number(count, 8).number(count, 8);
  end.number(size, 8).number(start, 8);
  end.text(npz::wide_end_pointer_mark).number(0, 4).number(start + size, 8).number(1, 4);
  end.text(npz::end_mark).number(0, 2).number(0, 2).number(0xffff, 2).number(0xffff, 2);
  return end.number(npz::in_wide_field, 4).number(npz::in_wide_field, 4).number(0, 2).bytes();
}

npy_elements elements_to_write(std::string_view dtype, const std::string& file) {
  try {
    return elements_of(std::string(dtype), std::nullopt, file);
  } catch (const error&) {
    throw error("npy-dtype", file, "its elements are '" + excerpt(dtype) + "', which cannot be written",
                "give bool, integers or floats of up to 64 bits");
  }
}

// As a header of .npy spells it: the one that NumPy writes.
std::string canonical_descr(const npy_elements& elements) {
  const auto letter = [&] {
    switch (elements.kind) {
      case npy_kind::boolean:
        return 'b';
      case npy_kind::signed_integer:
        return 'i';
      case npy_kind::unsigned_integer:
        return 'u';
      case npy_kind::floating:
        return 'f';
      case npy_kind::plain_bytes:
        break;
    }
    return 'V';
  }();
  const bool has_order = elements.bytes > 1 && letter != 'V';
  return std::string(has_order ? "<" : "|") + letter + std::to_string(elements.bytes);
}

// An array as a .npy file has it.
struct npy_bytes {
  std::string header;
  std::string_view elements;

  npy_bytes(const npz_array& array, const std::string& file) {
    const npy_elements of = elements_to_write(array.dtype, file);
    header = npy_header_bytes(canonical_descr(of), false, array.sizes);
    auto bytes = static_cast<std::size_t>(of.bytes);
    for (const std::int64_t size : array.sizes) bytes *= static_cast<std::size_t>(size);
    elements = {static_cast<const char*>(array.data), bytes};
  }
};

}  // namespace

void write_npy(const std::filesystem::path& file, const npz_array& array) {
  const npy_bytes bytes(array, file.string());
  new_file output(file, "npy-write");
  output.write(bytes.header.data(), bytes.header.size());
  output.write(bytes.elements.data(), bytes.elements.size());
  output.finish();
}

void write_npz(const std::filesystem::path& file, std::span<const npz_array> arrays) {
  new_file output(file, "npy-write");
  std::uint64_t at = 0;
  const auto write = [&](std::string_view bytes) {
    output.write(bytes.data(), bytes.size());
    at += bytes.size();
  };
  std::string directory;
  for (const npz_array& array : arrays) {
    const npy_bytes bytes(array, file.string());
    const written_member one{.name = std::string(array.name) + ".npy",
                             .checksum = checksum().add(bytes.header).add(bytes.elements).value(),
                             .size = bytes.header.size() + bytes.elements.size(),
                             .start = at};
    write(file_header(one));
    write(bytes.header);
    write(bytes.elements);
    directory += directory_entry(one);
  }
  const std::uint64_t directory_start = at;
  write(directory);
  write(directory_end(arrays.size(), directory_start, directory.size()));
  output.finish();
}

}  // namespace axismask
