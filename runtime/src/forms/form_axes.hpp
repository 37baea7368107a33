// The axes of a form, batch and heads, and the planes of a plan that lie along them; and errors that say where.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <limits>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "axismask/forms.hpp"
#include "axismask/messages/error.hpp"
#include "axismask/spans.hpp"
#include "cpu/mask_lines.hpp"

namespace axismask {

// Of the axes along which a mask changes, which is the batch, and which the heads.
class form_axes {
 public:
  // Takes the plane axes of a plan or of spans. Throws `error` form-axis when there is another.
  form_axes(std::string_view form, const form_options& options, const std::vector<std::string>& plane_axes,
            const std::vector<std::int64_t>& plane_sizes);

  // Their sizes; 1 where the mask does not change along the axis.
  [[nodiscard]] std::int64_t batch() const { return batch_; }
  [[nodiscard]] std::int64_t heads() const { return heads_; }
  [[nodiscard]] std::int64_t plane(std::int64_t batch, std::int64_t head) const {
    return batch * batch_step_ + head * heads_step_;
  }

  // For forms that have no such axis. Throw `error` form-heads or form-batch when the mask changes along it.
  void refuse_heads(std::string_view cure) const;
  void refuse_batch(std::string_view cure) const;

  // "batch 1, head 2, query 7", of axes along which the mask changes.
  [[nodiscard]] std::string place(std::int64_t batch, std::int64_t head, std::string_view what,
                                  std::int64_t index) const;

 private:
  std::string_view form_;
  std::string_view batch_axis_;
  std::string_view heads_axis_;
  std::int64_t batch_ = 1;
  std::int64_t heads_ = 1;
  std::int64_t batch_step_ = 0;
  std::int64_t heads_step_ = 0;
};

// The tiles of a plan as they were asked for, those cut off by the end of an axis included.
struct tile_grid {
  tile_grid(const tile_plan& plan, tile_size asked)
      : rows(plan.rows_per_plane),
        columns(plan.columns),
        cut_row(plan.queries % asked.queries == 0 ? -1 : rows - 1),
        cut_column(plan.keys % asked.keys == 0 ? -1 : columns - 1) {}

  [[nodiscard]] bool is_cut(std::int64_t row, std::int64_t column) const {
    return row == cut_row || column == cut_column;
  }

  std::int64_t rows;
  std::int64_t columns;
  std::int64_t cut_row;     // none: -1
  std::int64_t cut_column;  // none: -1
};

// A number for int32. Throws `error` form-size, whose WHERE is what it counts.
[[nodiscard]] inline std::int32_t as_int32(std::int64_t number, std::string_view what) {
  if (number <= std::numeric_limits<std::int32_t>::max()) return static_cast<std::int32_t>(number);
  throw error("form-size", std::string(what), "it is " + std::to_string(number) + ", and the form counts with 32 bits",
              "plan fewer queries and keys at once, or ask for spans");
}

// How many elements the sizes make. Throws `error` form-size for more than addresses reach, of elements of 8 bytes.
[[nodiscard]] inline std::size_t elements_of(std::initializer_list<std::int64_t> sizes) {
  constexpr std::size_t most = std::numeric_limits<std::int64_t>::max() / 8;
  std::size_t count = 1;
  for (const std::int64_t size : sizes) {
    if (!__builtin_mul_overflow(count, static_cast<std::size_t>(size), &count) && count <= most) continue;
    throw error("form-size", "tile", "an array of the form would reach further than addresses do",
                "give smaller tiles");
  }
  return count;
}

// Lines of bits, of which bit 0 is the lowest of the first byte.
[[nodiscard]] inline mask_lines bits_in(std::vector<std::uint8_t>& bytes) {
  return {{.element_bytes = 0}, reinterpret_cast<std::byte*>(bytes.data()), 1, false};
}

}  // namespace axismask
