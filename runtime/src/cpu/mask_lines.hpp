// Lines of a mask in the form in which a caller wants it: as elements of 1 to 8 bytes, or as bits.
#pragma once

#include <cstddef>
#include <cstdint>

namespace axismask {

// What stands in memory for a logit that is kept, and for one that is masked.
struct mask_form {
  int element_bytes = 1;  // 1, 2, 4 or 8; 0: bits
  std::uint64_t kept = 1;
  std::uint64_t masked = 0;
  bool first_bit_is_high = false;  // of bits: the first of a byte is its bit 7, and not its bit 0
};

// Writes parts of lines. Places and strides are in bytes, for bits in bits.
class mask_lines {
 public:
  // `stride`: from one element of a line to the next. `streaming`: memory is written past the caches where that can be.
  mask_lines(const mask_form& form, std::byte* memory, std::int64_t stride, bool streaming);

  // `count` elements from a place on that are all kept, or all masked.
  void fill(std::int64_t at, std::int64_t count, bool is_kept) const;
  // `count` elements from a place on, by these bytes: 1 for each that is kept, 0 for others.
  void put(std::int64_t at, std::int64_t count, const std::uint8_t* kept) const;

 private:
  void put_elements(std::byte* to, std::int64_t stride, std::int64_t count, const std::uint8_t* kept) const;
  void fill_bits(std::int64_t at, std::int64_t count, bool is_kept) const;
  void put_bits(std::int64_t at, std::int64_t count, const std::uint8_t* kept) const;
  void set_bit(std::int64_t at, bool is_kept) const;

  mask_form form_;
  std::byte* memory_;
  std::int64_t stride_;
  bool is_dense_;
  bool streaming_;
};

}  // namespace axismask
