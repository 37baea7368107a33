// Reads and writes the headers of .npy files. Nothing in one is believed before it is checked.
#include "files/npy_header.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <system_error>
#include <utility>

#include "axismask/messages/error.hpp"
#include "files/npy_elements.hpp"
#include "files/npz.hpp"

namespace axismask {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view magic = "\x93NUMPY";
constexpr std::size_t version_size = 2;
constexpr std::size_t alignment = 64;  // where the elements start, so that a file can be mapped into memory

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

error ends_in_header(const npy_stream& stream) {
  return {"npy-truncated", stream.name(), "it ends in its header, after " + std::to_string(stream.size()) + " bytes",
          "copy or write the file again"};
}

// Reads the magic string and the version; gives how many bytes say the header's length.
std::size_t read_start(npy_stream& stream) {
  std::array<unsigned char, magic.size() + version_size> start{};
  const std::uint64_t size = std::min<std::uint64_t>(start.size(), stream.bytes_left());
  if (!stream.read(start.data(), size)) throw ends_in_header(stream);
  if (std::memcmp(start.data(), magic.data(), std::min<std::uint64_t>(magic.size(), size)) != 0) {
    refuse_npz(stream.name());
    throw error("npy-format", stream.name(), "it is not an .npy file: it does not start with \\x93NUMPY",
                "write the array with numpy.save");
  }
  if (size < start.size()) throw ends_in_header(stream);
  const unsigned major = start[magic.size()];
  const unsigned minor = start[magic.size() + 1];
  if (major < 1 || major > 3 || minor != 0) {
    throw error("npy-format", stream.name(),
                "its format is version " + std::to_string(major) + "." + std::to_string(minor) +
                    ", and versions 1.0, 2.0 and 3.0 can be read",
                "write the array with numpy.save, which takes version 1.0 for plain numbers");
  }
  return major == 1 ? 2 : 4;
}

}  // namespace

npy_stream::npy_stream(const fs::path& file) : name_(file.string()) {
  std::error_code failure;
  const fs::file_status status = fs::status(file, failure);
  if (status.type() == fs::file_type::not_found) {
    if (std::optional<std::string> bytes = read_npz_member(file)) {
      is_member_ = true;
      size_ = bytes->size();
      member_ = *std::move(bytes);
      return;
    }
    throw error("npy-open", name_, "there is no such file", "give the path of an .npy file");
  }
  if (fs::exists(status) && !fs::is_regular_file(status)) {
    throw error("npy-open", name_, "it is not a regular file", "give the path of an .npy file");
  }
  errno = 0;
  stream_.open(file, std::ios::binary);
  size_ = fs::file_size(file, failure);
  if (!stream_ || failure) {
    const std::string reason = failure ? failure.message() : std::strerror(errno);
    throw error("npy-open", name_, "it cannot be read (" + reason + ")", "make it readable, or give another file");
  }
}

bool npy_stream::read(void* to, std::uint64_t size) {
  std::uint64_t read = 0;
  if (is_member_) {
    read = std::min(size, bytes_left());
    std::memcpy(to, member_.data() + bytes_read_, read);
  } else {
    stream_.read(static_cast<char*>(to), static_cast<std::streamsize>(size));
    read = static_cast<std::uint64_t>(stream_.gcount());
  }
  bytes_read_ += read;
  return read == size;
}

npy_header read_npy_header(npy_stream& stream) {
  std::array<unsigned char, 4> length{};
  const std::size_t length_size = read_start(stream);
  if (!stream.read(length.data(), length_size)) throw ends_in_header(stream);
  std::uint64_t size = 0;
  for (std::size_t byte = length_size; byte-- > 0;) size = size << 8 | length[byte];
  if (size > stream.bytes_left()) throw ends_in_header(stream);
  constexpr std::uint64_t longest = 1 << 20;
  if (size > longest) {
    throw error("npy-format", stream.name(), "its header has " + std::to_string(size) + " bytes",
                "write the file again with numpy.save");
  }
  std::string text(size, '\0');
  if (!stream.read(text.data(), size)) throw ends_in_header(stream);
  return header_parser(text, stream.name()).parse();
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

std::string npy_header_bytes(std::string_view descr, bool fortran_order, std::span<const std::int64_t> sizes) {
  std::string text = "{'descr': '" + std::string(descr) + "', 'fortran_order': " + (fortran_order ? "True" : "False") +
                     ", 'shape': " + shape_text(sizes) + ", }";
  const std::size_t before_text = magic.size() + 4;  // the version and the length
  while ((before_text + text.size() + 1) % alignment != 0) text += ' ';
  text += '\n';
  std::string result(magic);
  result += {'\x01', '\x00', static_cast<char>(text.size() & 0xff), static_cast<char>(text.size() >> 8)};
  return result + text;
}

}  // namespace axismask
