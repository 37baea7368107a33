// The fourth reading of `keep`: how large its numbers get. Where they stay small, a kernel may compute with 32 bits,
// which is twice as fast as with 64.
#pragma once

#include <cstdint>

#include "axismask/readings/integer.hpp"

namespace axismask {

// Kernels of 32 bits are for calls in which no number that `keep` computes is farther from 0 than this. What is left up
// to 2^31 is for compilers, which may move the terms of sums about: q - k < w may become q < k + w.
inline constexpr std::int64_t narrow_magnitude = std::int64_t{1} << 27;

// All numbers from -m to m; and the largest m that there was on the way to it.
class magnitude {
 public:
  constexpr magnitude(std::int64_t value) : magnitude(detail::larger(integer(value), -integer(value)), 0) {}  // NOLINT

  [[nodiscard]] constexpr integer largest() const { return largest_; }

  friend constexpr magnitude operator+(magnitude a, magnitude b) { return {a.size_ + b.size_, largest(a, b)}; }
  friend constexpr magnitude operator-(magnitude a, magnitude b) { return a + b; }
  friend constexpr magnitude operator-(magnitude a) { return a; }
  friend constexpr magnitude operator*(magnitude a, magnitude b) { return {a.size_ * b.size_, largest(a, b)}; }
  friend constexpr magnitude operator/(magnitude a, magnitude b) {
    return {a.size_ + 1, largest(a, b)};
  }  // rounds down
  friend constexpr magnitude operator%(magnitude a, magnitude b) { return {b.size_, largest(a, b)}; }

  // A truth value, and the largest magnitude that there was on the way to it.
  class condition {
   public:
    constexpr condition(bool) : largest_(0) {}  // NOLINT: implicit, as bool is for `&&`
    constexpr explicit condition(integer largest) : largest_(largest) {}

    [[nodiscard]] constexpr std::int64_t largest() const { return largest_.value(); }

    friend constexpr condition operator&&(condition a, condition b) { return a.joined(b); }
    friend constexpr condition operator||(condition a, condition b) { return a.joined(b); }
    friend constexpr condition operator!(condition a) { return a; }
    friend constexpr condition operator==(condition a, condition b) { return a.joined(b); }
    friend constexpr condition operator!=(condition a, condition b) { return a.joined(b); }

   private:
    [[nodiscard]] constexpr condition joined(condition other) const {
      return condition(detail::larger(largest_, other.largest_));
    }

    integer largest_;
  };

  friend constexpr condition operator<(magnitude a, magnitude b) { return condition(largest(a, b)); }
  friend constexpr condition operator<=(magnitude a, magnitude b) { return condition(largest(a, b)); }
  friend constexpr condition operator>(magnitude a, magnitude b) { return condition(largest(a, b)); }
  friend constexpr condition operator>=(magnitude a, magnitude b) { return condition(largest(a, b)); }
  friend constexpr condition operator==(magnitude a, magnitude b) { return condition(largest(a, b)); }
  friend constexpr condition operator!=(magnitude a, magnitude b) { return condition(largest(a, b)); }

 private:
  constexpr magnitude(integer size, integer before) : size_(size), largest_(detail::larger(size, before)) {}
  static constexpr integer largest(magnitude a, magnitude b) { return detail::larger(a.largest_, b.largest_); }

  integer size_;
  integer largest_;
};

}  // namespace axismask
