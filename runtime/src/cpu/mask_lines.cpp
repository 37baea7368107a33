// Lines of a mask in the form in which a caller wants it.
#include "cpu/mask_lines.hpp"

#include <algorithm>
#include <array>
#include <cstring>

#include "cpu/fill.hpp"
#include "cpu/packed_bits.hpp"

namespace axismask {
namespace {

constexpr std::int64_t byte_bits = 8;

std::uint64_t repeated(std::uint64_t element, int bytes) {
  for (int width = bytes; width < 8; width *= 2) element |= element << (8 * width);
  return element;
}

template <class Element>
void put_as(std::byte* to, std::int64_t stride, std::int64_t count, const std::uint8_t* kept, const mask_form& form) {
  const auto if_kept = static_cast<Element>(form.kept);
  const auto if_masked = static_cast<Element>(form.masked);
  if (stride == static_cast<std::int64_t>(sizeof(Element))) {
    for (std::int64_t index = 0; index < count; ++index) {
      const Element element = kept[index] != 0 ? if_kept : if_masked;
      std::memcpy(to + index * static_cast<std::int64_t>(sizeof element), &element, sizeof element);
    }
    return;
  }
  for (std::int64_t index = 0; index < count; ++index) {
    const Element element = kept[index] != 0 ? if_kept : if_masked;
    std::memcpy(to + index * stride, &element, sizeof element);
  }
}

}  // namespace

mask_lines::mask_lines(const mask_form& form, std::byte* memory, std::int64_t stride, bool streaming)
    : form_(form),
      memory_(memory),
      stride_(stride),
      is_dense_(stride == std::max(form.element_bytes, 1)),
      streaming_(streaming) {}

void mask_lines::fill(std::int64_t at, std::int64_t count, bool is_kept) const {
  if (form_.element_bytes == 0) return fill_bits(at, count, is_kept);
  const std::uint64_t element = is_kept ? form_.kept : form_.masked;
  if (is_dense_) {
    axismask::fill(memory_ + at, count * form_.element_bytes, form_.element_bytes,
                   repeated(element, form_.element_bytes), streaming_);
    return;
  }
  for (std::int64_t index = 0; index < count; ++index) {
    std::memcpy(memory_ + at + index * stride_, &element, static_cast<std::size_t>(form_.element_bytes));
  }
}

void mask_lines::put(std::int64_t at, std::int64_t count, const std::uint8_t* kept) const {
  if (form_.element_bytes == 0) return put_bits(at, count, kept);
  if (!streaming_ || !is_dense_) return put_elements(memory_ + at, stride_, count, kept);
  // What is streamed around them is not in the caches, and plain stores would read it into them first.
  constexpr std::int64_t most = 256;
  alignas(64) std::array<std::byte, most * 8> elements;
  for (; count > 0; count -= most, kept += most, at += most * form_.element_bytes) {
    const std::int64_t part = std::min(count, most);
    put_elements(elements.data(), form_.element_bytes, part, kept);
    copy(memory_ + at, elements.data(), part * form_.element_bytes, true);
  }
}

void mask_lines::put_elements(std::byte* to, std::int64_t stride, std::int64_t count, const std::uint8_t* kept) const {
  switch (form_.element_bytes) {
    case 1:
      return put_as<std::uint8_t>(to, stride, count, kept, form_);
    case 2:
      return put_as<std::uint16_t>(to, stride, count, kept, form_);
    case 4:
      return put_as<std::uint32_t>(to, stride, count, kept, form_);
    default:
      return put_as<std::uint64_t>(to, stride, count, kept, form_);
  }
}

void mask_lines::set_bit(std::int64_t at, bool is_kept) const {
  const std::int64_t place = at % byte_bits;
  const auto bit = static_cast<std::byte>(1U << static_cast<unsigned>(form_.first_bit_is_high ? 7 - place : place));
  std::byte& byte = memory_[at / byte_bits];
  byte = is_kept ? byte | bit : byte & ~bit;
}

void mask_lines::fill_bits(std::int64_t at, std::int64_t count, bool is_kept) const {
  if (!is_dense_) {
    for (std::int64_t index = 0; index < count; ++index) set_bit(at + index * stride_, is_kept);
    return;
  }
  for (; count > 0 && at % byte_bits != 0; --count) set_bit(at++, is_kept);
  const std::int64_t bytes = count / byte_bits;
  std::memset(memory_ + at / byte_bits, is_kept ? 0xFF : 0, static_cast<std::size_t>(bytes));
  for (at += bytes * byte_bits, count %= byte_bits; count > 0; --count) set_bit(at++, is_kept);
}

void mask_lines::put_bits(std::int64_t at, std::int64_t count, const std::uint8_t* kept) const {
  if (!is_dense_) {
    for (std::int64_t index = 0; index < count; ++index) set_bit(at + index * stride_, kept[index] != 0);
    return;
  }
  for (; count > 0 && at % byte_bits != 0; --count) set_bit(at++, *kept++ != 0);
  std::byte* to = memory_ + at / byte_bits;
  for (; count >= byte_bits; count -= byte_bits, kept += byte_bits, at += byte_bits) {
    *to++ = static_cast<std::byte>(packed_eight(kept, form_.first_bit_is_high));
  }
  for (; count > 0; --count) set_bit(at++, *kept++ != 0);
}

}  // namespace axismask
