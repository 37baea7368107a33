// Lists of tiles, partial and full, by batch, head and tile row: what FlexAttention and FlashAttention 4 take.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "forms/form_axes.hpp"

namespace axismask {

struct tile_lists {
  std::int64_t batch = 1;
  std::int64_t heads = 1;
  std::int64_t rows = 0;
  // For each batch, head and row, in C order: how many, and which columns, one list after the other.
  struct list {
    std::vector<std::int32_t> counts;
    std::vector<std::int32_t> columns;
  };
  list partial = {};
  list full = {};
};

// A tile that is cut off by the end of an axis is partial, as whoever pads the last tile with zeros sees it.
[[nodiscard]] tile_lists lists_of(const tile_plan& plan, const form_axes& axes, tile_size asked);

// The lists as two arrays, [batch, heads, rows] and [batch, heads, rows, width]; zeros stand behind a list.
void add_lists(plan_arrays& arrays, const tile_lists& lists, const tile_lists::list& list, std::int64_t width,
               std::string count_name, std::string index_name);

}  // namespace axismask
