// Reading and writing NumPy's .npy files. A file is a magic string, a version, the length of a header, the header (a
// Python dict literal with the keys 'descr', 'fortran_order' and 'shape') and the elements. Nothing in it is believed
// before it is checked: memory is asked for only when the file is known to hold that many bytes.
#include "axismask/npy.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <fstream>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

#include "axismask/messages/error.hpp"
#include "files/new_file.hpp"

namespace axismask {

namespace {

namespace fs = std::filesystem;

constexpr std::string_view magic = "\x93NUMPY";
constexpr std::size_t alignment = 64;  // where the elements start, so that a file can be mapped into memory

// How a dtype is written in a header. The first entry of each dtype is the one that is written to new files.
struct descr_entry {
  std::string_view descr;
  dtype type;
};
constexpr std::array<descr_entry, 8> descr_table{{
    {"<f2", dtype::float16},
    {"<f4", dtype::float32},
    {"<f8", dtype::float64},
    {"<i4", dtype::int32},
    {"<i8", dtype::int64},
    {"|b1", dtype::boolean},
    {"|V2", dtype::bfloat16},
    {"<V2", dtype::bfloat16},
}};
// What can be read as either 16-bit float when the caller says so.
constexpr std::array<std::string_view, 5> two_byte_descrs{"<f2", "<i2", "<u2", "|V2", "<V2"};

// A piece of a file in a message: on one line, and not long.
std::string excerpt(std::string_view text) {
  constexpr std::size_t longest = 40;
  std::string result(text.substr(0, longest));
  for (char& character : result) {
    if (character < ' ' || character > '~') character = '?';
  }
  return text.size() > longest ? result + "..." : result;
}

// Python's way to write a tuple of sizes: "()", "(3,)", "(2, 3)".
std::string shape_text(std::span<const std::int64_t> sizes) {
  std::string result = "(";
  for (std::size_t axis = 0; axis < sizes.size(); ++axis) {
    if (axis > 0) result += ", ";
    result += std::to_string(sizes[axis]);
  }
  return result + (sizes.size() == 1 ? ",)" : ")");
}

struct npy_header {
  std::string descr;
  bool fortran_order = false;
  std::vector<std::int64_t> sizes;
};

// Reads the dict literal. It knows as much of Python as NumPy has ever written there.
class header_parser {
 public:
  header_parser(std::string_view text, const std::string& file) : text_(text), file_(file) {}

  npy_header parse() {
    npy_header header;
    bool has_descr = false;
    bool has_order = false;
    bool has_shape = false;
    expect('{');
    while (!take('}')) {
      const std::string key = quoted();
      expect(':');
      if (key == "descr") {
        once(key, has_descr);
        header.descr = descr();
      } else if (key == "fortran_order") {
        once(key, has_order);
        header.fortran_order = boolean();
      } else if (key == "shape") {
        once(key, has_shape);
        header.sizes = sizes();
      } else {
        malformed("there is a key '" + excerpt(key) + "', which has no meaning");
      }
      if (!take(',')) {
        expect('}');
        break;
      }
    }
    skip_spaces();
    if (at_ < text_.size()) malformed("there is more after the dict: " + here());
    if (!has_descr) malformed("the key 'descr' is missing");
    if (!has_order) malformed("the key 'fortran_order' is missing");
    if (!has_shape) malformed("the key 'shape' is missing");
    return header;
  }

 private:
  [[noreturn]] void malformed(const std::string& what) const {
    throw error("npy-format", file_, "its header is malformed: " + what, "write the file again with numpy.save");
  }

  [[nodiscard]] std::string here() const {
    return at_ < text_.size() ? "\"" + excerpt(text_.substr(at_)) + "\"" : "its end";
  }

  void once(const std::string& key, bool& seen) const {
    if (seen) malformed("the key '" + key + "' is there twice");
    seen = true;
  }

  void skip_spaces() { at_ = std::min(text_.find_first_not_of(" \t\r\n", at_), text_.size()); }

  bool take(char character) {
    skip_spaces();
    if (at_ == text_.size() || text_[at_] != character) return false;
    ++at_;
    return true;
  }

  void expect(char character) {
    if (!take(character)) malformed(std::string("expected '") + character + "' at " + here());
  }

  std::string quoted() {
    skip_spaces();
    const char quote = at_ < text_.size() ? text_[at_] : '\0';
    if (quote != '\'' && quote != '"') malformed("expected a string at " + here());
    const std::size_t end = text_.find(quote, at_ + 1);
    if (end == std::string_view::npos) malformed("a string does not end: " + here());
    const std::string_view content = text_.substr(at_ + 1, end - at_ - 1);
    at_ = end + 1;
    return std::string(content);
  }

  // A dtype is a string; a structure is a list of its fields.
  std::string descr() {
    skip_spaces();
    if (at_ < text_.size() && (text_[at_] == '[' || text_[at_] == '(')) {
      throw error("npy-dtype", file_, "its elements are structures: " + here(),
                  "write each field to a file of its own");
    }
    return quoted();
  }

  bool boolean() {
    skip_spaces();
    for (const auto& [word, value] : {std::pair<std::string_view, bool>("True", true), {"False", false}}) {
      if (text_.substr(at_).starts_with(word)) {
        at_ += word.size();
        return value;
      }
    }
    malformed("expected True or False at " + here());
  }

  std::vector<std::int64_t> sizes() {
    std::vector<std::int64_t> result;
    bool comma = true;
    expect('(');
    while (!take(')')) {
      if (!comma) malformed("expected ',' or ')' at " + here());
      result.push_back(size());
      comma = take(',');
    }
    // Python reads "(3)" as a number.
    if (result.size() == 1 && !comma) malformed("the shape is not a tuple");
    return result;
  }

  std::int64_t size() {
    skip_spaces();
    std::int64_t value = 0;
    const auto [end, failure] = std::from_chars(text_.data() + at_, text_.data() + text_.size(), value);
    if (failure == std::errc::result_out_of_range) malformed("a size needs more than 64 bits: " + here());
    if (failure != std::errc()) malformed("expected a size at " + here());
    if (value < 0) malformed("a size is negative: " + here());
    at_ = static_cast<std::size_t>(end - text_.data());
    take('L');  // Python 2 wrote long numbers so
    return value;
  }

  std::string_view text_;
  const std::string& file_;
  std::size_t at_ = 0;
};

dtype dtype_from(const std::string& descr, std::optional<dtype> as, const std::string& file) {
  const auto in_table = [](std::string_view text) {
    return std::find_if(descr_table.begin(), descr_table.end(), [&](const descr_entry& e) { return e.descr == text; });
  };
  const bool is_two_byte_float = as == dtype::bfloat16 || as == dtype::float16;
  if (is_two_byte_float && std::find(two_byte_descrs.begin(), two_byte_descrs.end(), descr) != two_byte_descrs.end()) {
    return *as;
  }
  if (const auto entry = in_table(descr); entry != descr_table.end()) {
    if (!as || entry->type == *as) return entry->type;
    throw error("npy-dtype", file,
                "its elements are '" + descr + "', and " + std::string(info(*as).name) + " was asked for",
                "ask for the file's own dtype, or convert the file");
  }
  if (descr.starts_with('>') && in_table("<" + descr.substr(1)) != descr_table.end()) {
    throw error("npy-dtype", file, "its elements are big-endian ('" + descr + "')",
                "convert the array with astype('<" + descr.substr(1) + "')");
  }
  throw error("npy-dtype", file, "its elements are '" + excerpt(descr) + "', which cannot be read",
              "convert the array to float16, float32, float64, int32, int64 or bool, or to ml_dtypes.bfloat16");
}

// The number of bytes of the elements. Sizes of 0 are left out of the check for overflow alone: then the strides of
// an empty array, and whoever multiplies its sizes, are safe too.
std::uint64_t data_bytes(const npy_header& header, dtype type, const std::string& file) {
  std::int64_t bytes = info(type).bytes;
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

std::vector<std::int64_t> dense_strides(std::span<const std::int64_t> sizes, bool fortran_order) {
  std::vector<std::int64_t> strides(sizes.size());
  std::int64_t stride = 1;
  for (std::size_t step = 0; step < sizes.size(); ++step) {
    const std::size_t axis = fortran_order ? step : sizes.size() - 1 - step;
    strides[axis] = stride;
    stride *= sizes[axis];
  }
  return strides;
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

// The start of a file, up to its elements: NumPy's own bytes.
std::string header_bytes(std::string_view descr, bool fortran_order, std::span<const std::int64_t> sizes) {
  std::string text = "{'descr': '" + std::string(descr) + "', 'fortran_order': " + (fortran_order ? "True" : "False") +
                     ", 'shape': " + shape_text(sizes) + ", }";
  const std::size_t before_text = magic.size() + 4;  // the version and the length
  while ((before_text + text.size() + 1) % alignment != 0) text += ' ';
  text += '\n';
  std::string result(magic);
  result += {'\x01', '\x00', static_cast<char>(text.size() & 0xff), static_cast<char>(text.size() >> 8)};
  return result + text;
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
  const std::string name = file.string();
  std::error_code failure;
  const fs::file_status status = fs::status(file, failure);
  if (status.type() == fs::file_type::not_found) {
    throw error("npy-open", name, "there is no such file", "give the path of an .npy file");
  }
  if (fs::exists(status) && !fs::is_regular_file(status)) {
    throw error("npy-open", name, "it is not a regular file", "give the path of an .npy file");
  }
  errno = 0;
  std::ifstream stream(file, std::ios::binary);
  const std::uint64_t file_bytes = fs::file_size(file, failure);
  if (!stream || failure) {
    const std::string reason = failure ? failure.message() : std::strerror(errno);
    throw error("npy-open", name, "it cannot be read (" + reason + ")", "make it readable, or give another file");
  }

  // Everything is read through here, so a length that the file does not have never becomes an allocation.
  std::uint64_t bytes_read = 0;
  const auto read = [&](void* to, std::uint64_t size) {
    stream.read(static_cast<char*>(to), static_cast<std::streamsize>(size));
    bytes_read += static_cast<std::uint64_t>(stream.gcount());
    return static_cast<std::uint64_t>(stream.gcount()) == size;
  };
  const auto ends_in_header = [&] {
    return error("npy-truncated", name, "it ends in its header, after " + std::to_string(file_bytes) + " bytes",
                 "copy or write the file again");
  };

  std::array<unsigned char, 12> start{};
  const std::uint64_t start_size = std::min<std::uint64_t>(magic.size() + 2, file_bytes);
  if (!read(start.data(), start_size)) throw ends_in_header();
  if (std::memcmp(start.data(), magic.data(), std::min<std::uint64_t>(magic.size(), start_size)) != 0) {
    throw error("npy-format", name, "it is not an .npy file: it does not start with \\x93NUMPY",
                "write the array with numpy.save");
  }
  if (start_size < magic.size() + 2) throw ends_in_header();
  const unsigned major = start[magic.size()];
  const unsigned minor = start[magic.size() + 1];
  if ((major != 1 && major != 2) || minor != 0) {
    throw error("npy-format", name,
                "its format is version " + std::to_string(major) + "." + std::to_string(minor) +
                    ", and versions 1.0 and 2.0 can be read",
                "write the array with numpy.save, which takes version 1.0 for plain numbers");
  }
  const std::size_t length_size = major == 1 ? 2 : 4;
  if (!read(start.data() + 8, length_size)) throw ends_in_header();
  std::uint64_t header_size = 0;
  for (std::size_t byte = length_size; byte-- > 0;) header_size = header_size << 8 | start[8 + byte];
  if (header_size > file_bytes - bytes_read) throw ends_in_header();
  constexpr std::uint64_t longest_header = 1 << 20;
  if (header_size > longest_header) {
    throw error("npy-format", name, "its header has " + std::to_string(header_size) + " bytes",
                "write the file again with numpy.save");
  }
  std::string text(header_size, '\0');
  if (!read(text.data(), header_size)) throw ends_in_header();

  npy_header header = header_parser(text, name).parse();
  npy_array array;
  array.type = dtype_from(header.descr, as, name);
  if (header.sizes.size() > any_view::max_rank) {
    throw error("npy-format", name,
                "its array has " + std::to_string(header.sizes.size()) + " axes, and at most " +
                    std::to_string(any_view::max_rank) + " are possible",
                "reshape the array");
  }
  const std::uint64_t bytes = data_bytes(header, array.type, name);
  const std::uint64_t bytes_left = file_bytes - bytes_read;
  const std::string difference = "the shape " + shape_text(header.sizes) + " of '" + header.descr + "' needs " +
                                 std::to_string(bytes) + " bytes, and the file has " + std::to_string(bytes_left);
  if (bytes_left < bytes) throw error("npy-truncated", name, difference, "copy or write the file again");
  if (bytes_left > bytes) throw error("npy-format", name, difference, "copy or write the file again");

  array.strides = dense_strides(header.sizes, header.fortran_order);
  array.sizes = std::move(header.sizes);
  array.memory = std::make_unique_for_overwrite<std::byte[]>(bytes);
  if (!read(array.memory.get(), bytes)) {
    throw error("npy-truncated", name,
                "it ended after " + std::to_string(bytes_read) + " of " + std::to_string(file_bytes) + " bytes",
                "copy or write the file again");
  }
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
  const auto* entry = std::find_if(descr_table.begin(), descr_table.end(),
                                   [&](const descr_entry& candidate) { return candidate.type == type; });
  const std::string header = header_bytes(entry->descr, !c_order, sizes);

  new_file output(file, "npy-write");
  output.write(header.data(), header.size());
  output.write(data, bytes);
  output.place();
}

}  // namespace axismask
