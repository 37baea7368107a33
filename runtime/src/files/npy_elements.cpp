// Reads the names of element types, and turns elements into those that arrays here have.
#include "files/npy_elements.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <limits>

#include "axismask/messages/error.hpp"

namespace axismask {
namespace {

static_assert(std::endian::native == std::endian::little);

struct type_code {
  npy_kind kind;
  int bytes;
};

struct type_name {
  std::string_view name;
  type_code code;
};

constexpr type_code boolean{npy_kind::boolean, 1};
constexpr type_code integer_of(int bytes) { return {npy_kind::signed_integer, bytes}; }
constexpr type_code unsigned_of(int bytes) { return {npy_kind::unsigned_integer, bytes}; }
constexpr type_code float_of(int bytes) { return {npy_kind::floating, bytes}; }

// numpy.dtype's words, with the widths that they have on 64-bit Linux. They take no byte order.
constexpr std::array words{
    type_name{"bool", boolean},
    type_name{"bool_", boolean},
    type_name{"int8", integer_of(1)},
    type_name{"byte", integer_of(1)},
    type_name{"int16", integer_of(2)},
    type_name{"short", integer_of(2)},
    type_name{"int32", integer_of(4)},
    type_name{"intc", integer_of(4)},
    type_name{"int64", integer_of(8)},
    type_name{"int", integer_of(8)},
    type_name{"int_", integer_of(8)},
    type_name{"intp", integer_of(8)},
    type_name{"long", integer_of(8)},
    type_name{"longlong", integer_of(8)},
    type_name{"uint8", unsigned_of(1)},
    type_name{"ubyte", unsigned_of(1)},
    type_name{"uint16", unsigned_of(2)},
    type_name{"ushort", unsigned_of(2)},
    type_name{"uint32", unsigned_of(4)},
    type_name{"uintc", unsigned_of(4)},
    type_name{"uint64", unsigned_of(8)},
    type_name{"uint", unsigned_of(8)},
    type_name{"uintp", unsigned_of(8)},
    type_name{"ulong", unsigned_of(8)},
    type_name{"ulonglong", unsigned_of(8)},
    type_name{"float16", float_of(2)},
    type_name{"half", float_of(2)},
    type_name{"float32", float_of(4)},
    type_name{"single", float_of(4)},
    type_name{"float64", float_of(8)},
    type_name{"double", float_of(8)},
    type_name{"float", float_of(8)},
};

// Its letters, after a byte order or none.
constexpr std::array letters{
    type_name{"?", boolean},        type_name{"b", integer_of(1)},  type_name{"h", integer_of(2)},
    type_name{"i", integer_of(4)},  type_name{"l", integer_of(8)},  type_name{"q", integer_of(8)},
    type_name{"n", integer_of(8)},  type_name{"p", integer_of(8)},  type_name{"B", unsigned_of(1)},
    type_name{"H", unsigned_of(2)}, type_name{"I", unsigned_of(4)}, type_name{"L", unsigned_of(8)},
    type_name{"Q", unsigned_of(8)}, type_name{"N", unsigned_of(8)}, type_name{"P", unsigned_of(8)},
    type_name{"e", float_of(2)},    type_name{"f", float_of(4)},    type_name{"d", float_of(8)},
};

template <std::size_t Count>
std::optional<type_code> find(const std::array<type_name, Count>& names, std::string_view name) {
  const auto found = std::find_if(names.begin(), names.end(), [&](const type_name& one) { return one.name == name; });
  return found == names.end() ? std::nullopt : std::optional(found->code);
}

// The number after a letter, as C's strtol reads it: "4", "04", "+4", " 4"; 0 when it is none.
int width_of(std::string_view text) {
  text.remove_prefix(std::min(text.find_first_not_of(' '), text.size()));
  if (text.starts_with('+')) text.remove_prefix(1);
  int width = 0;
  for (const char digit : text) {
    if (digit < '0' || digit > '9' || width > 16) return 0;
    width = 10 * width + (digit - '0');
  }
  return width;
}

std::optional<type_code> code_of(std::string_view text) {
  if (const std::optional<type_code> letter = find(letters, text)) return letter;
  if (text.empty()) return std::nullopt;
  const int bytes = width_of(text.substr(1));
  const auto is_one_of = [bytes](std::initializer_list<int> widths) {
    return std::find(widths.begin(), widths.end(), bytes) != widths.end();
  };
  switch (text.front()) {
    case 'b':
      return bytes == 1 ? std::optional(boolean) : std::nullopt;
    case 'i':
      return is_one_of({1, 2, 4, 8}) ? std::optional(integer_of(bytes)) : std::nullopt;
    case 'u':
      return is_one_of({1, 2, 4, 8}) ? std::optional(unsigned_of(bytes)) : std::nullopt;
    case 'f':
      return is_one_of({2, 4, 8}) ? std::optional(float_of(bytes)) : std::nullopt;
    case 'V':
      return bytes == 2 ? std::optional(type_code{npy_kind::plain_bytes, 2}) : std::nullopt;
    default:
      return std::nullopt;
  }
}

dtype in_memory(const type_code& code) {
  switch (code.kind) {
    case npy_kind::boolean:
      return dtype::boolean;
    case npy_kind::signed_integer:
      return code.bytes <= 4 ? dtype::int32 : dtype::int64;
    case npy_kind::unsigned_integer:
      return code.bytes < 4 ? dtype::int32 : dtype::int64;
    case npy_kind::floating:
      return code.bytes == 2 ? dtype::float16 : code.bytes == 4 ? dtype::float32 : dtype::float64;
    case npy_kind::plain_bytes:
      break;
  }
  return dtype::bfloat16;
}

void swap_bytes(std::byte* elements, std::int64_t count, int bytes) {
  for (std::int64_t at = 0; at < count; ++at) std::reverse(elements + at * bytes, elements + (at + 1) * bytes);
}

template <class From, class To>
std::unique_ptr<std::byte[]> widened(const std::byte* from, std::int64_t count) {
  auto result = std::make_unique_for_overwrite<std::byte[]>(static_cast<std::size_t>(count) * sizeof(To));
  for (std::int64_t at = 0; at < count; ++at) {
    From number;
    std::memcpy(&number, from + at * static_cast<std::int64_t>(sizeof number), sizeof number);
    const To wider{number};
    std::memcpy(result.get() + at * static_cast<std::int64_t>(sizeof wider), &wider, sizeof wider);
  }
  return result;
}

void check_that_they_fit(const std::byte* elements, std::int64_t count, const std::string& file) {
  for (std::int64_t at = 0; at < count; ++at) {
    std::uint64_t number = 0;
    std::memcpy(&number, elements + at * 8, sizeof number);
    if (number <= static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max())) continue;
    throw error("npy-value", file,
                "its element " + std::to_string(at) + ", in the file's order, is " + std::to_string(number) +
                    ", and int64 holds no such number",
                "write numbers up to 2^63 - 1");
  }
}

}  // namespace

npy_elements elements_of(const std::string& descr, std::optional<dtype> as, const std::string& file) {
  std::string_view text = descr;
  std::optional<type_code> code = find(words, text);
  bool is_big_endian = false;
  if (!code) {
    if (!text.empty() && std::string_view("<>=|").find(text.front()) != std::string_view::npos) {
      is_big_endian = text.front() == '>';
      text.remove_prefix(1);
    }
    code = code_of(text);
  }
  if (!code) {
    throw error("npy-dtype", file, "its elements are '" + excerpt(descr) + "', which cannot be read",
                "convert the array to bool, to integers or floats of up to 64 bits, or to ml_dtypes.bfloat16");
  }
  npy_elements elements{code->kind, code->bytes, is_big_endian, in_memory(*code)};
  // Bytes without a meaning have no order.
  if (code->bytes == 1 || code->kind == npy_kind::plain_bytes) elements.is_big_endian = false;
  const bool is_two_byte_float = as == dtype::bfloat16 || as == dtype::float16;
  if (is_two_byte_float && code->bytes == 2) {
    elements.kind = npy_kind::plain_bytes;
    elements.type = *as;
  }
  if (as && elements.type != *as) {
    throw error("npy-dtype", file,
                "its elements are '" + descr + "', and " + std::string(info(*as).name) + " was asked for",
                "ask for the file's own dtype, or convert the file");
  }
  return elements;
}

std::string_view descr_of(dtype type) {
  switch (type) {
    case dtype::float16:
      return "<f2";
    case dtype::bfloat16:
      return "|V2";
    case dtype::float32:
      return "<f4";
    case dtype::float64:
      return "<f8";
    case dtype::int32:
      return "<i4";
    case dtype::int64:
      return "<i8";
    case dtype::boolean:
      return "|b1";
  }
  return "";
}

std::unique_ptr<std::byte[]> converted(std::unique_ptr<std::byte[]> in_file, std::int64_t count,
                                       const npy_elements& elements, const std::string& file) {
  if (elements.is_big_endian) swap_bytes(in_file.get(), count, elements.bytes);
  const bool is_signed = elements.kind == npy_kind::signed_integer;
  if (is_signed && elements.bytes == 1) return widened<std::int8_t, std::int32_t>(in_file.get(), count);
  if (is_signed && elements.bytes == 2) return widened<std::int16_t, std::int32_t>(in_file.get(), count);
  if (elements.kind == npy_kind::unsigned_integer) {
    if (elements.bytes == 1) return widened<std::uint8_t, std::int32_t>(in_file.get(), count);
    if (elements.bytes == 2) return widened<std::uint16_t, std::int32_t>(in_file.get(), count);
    if (elements.bytes == 4) return widened<std::uint32_t, std::int64_t>(in_file.get(), count);
    check_that_they_fit(in_file.get(), count, file);
  }
  return in_file;
}

std::string shape_text(std::span<const std::int64_t> sizes) {
  std::string result = "(";
  for (std::size_t axis = 0; axis < sizes.size(); ++axis) {
    if (axis > 0) result += ", ";
    result += std::to_string(sizes[axis]);
  }
  return result + (sizes.size() == 1 ? ",)" : ")");
}

std::string excerpt(std::string_view text) {
  constexpr std::size_t longest = 40;
  std::string result(text.substr(0, longest));
  for (char& character : result) {
    if (character < ' ' || character > '~') character = '?';
  }
  return text.size() > longest ? result + "..." : result;
}

}  // namespace axismask
