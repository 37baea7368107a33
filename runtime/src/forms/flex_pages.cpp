// FlexAttention over physical pages: a plan of the sequences' own pages, and where these lie in the cache.
#include <algorithm>
#include <string>

#include "forms/tile_lists.hpp"
#include "forms/writers.hpp"

namespace axismask {
namespace {

error wrong_table(const std::string& what, const std::string& cure) { return {"form-pages", "pages", what, cure}; }

// The table as numbers that are checked: a row for each sequence of the batch, of the pages that the keys fill.
struct pages_of_batch {
  std::int64_t batch = 0;
  std::int64_t columns = 0;
  std::int64_t count = 0;                // of the cache's pages
  std::vector<std::int32_t> physical{};  // [batch, columns]: -1 where there is none
  std::vector<std::int64_t> logical{};   // [batch, count]: -1 where there is none

  [[nodiscard]] std::int32_t at(std::int64_t sequence, std::int64_t column) const {
    return physical[static_cast<std::size_t>(sequence * columns + column)];
  }
};

std::int64_t element(const any_view& view, std::int64_t row, std::int64_t column) {
  const std::int64_t at = row * view.axes()[0].stride + column * view.axes()[1].stride;
  return view.type() == dtype::int64 ? static_cast<const std::int64_t*>(view.data())[at]
                                     : static_cast<const std::int32_t*>(view.data())[at];
}

void check_table(const page_table& table, std::int64_t batch, std::int64_t columns) {
  const any_view& view = table.pages;
  if ((view.type() != dtype::int32 && view.type() != dtype::int64) || view.axes().size() != 2) {
    throw wrong_table("a table of pages has two axes and integers, and this has " + std::to_string(view.axes().size()) +
                          " of " + std::string(info(view.type()).name),
                      "give int32 or int64, sequences by pages");
  }
  if (view.is_in_device_memory() || (view.data() == nullptr && view.element_count() > 0)) {
    throw wrong_table(view.is_in_device_memory() ? "the table of pages is in a device's memory"
                                                 : "the table of pages has elements and no memory",
                      "give a table in memory of the host");
  }
  if (table.count < 0) {
    throw wrong_table("the cache has " + std::to_string(table.count) + " pages",
                      "give how many there are, or 0 for as many as the table says");
  }
  const std::int64_t rows = view.axes()[0].size;
  if (rows != batch && rows != 1 && batch != 1) {
    throw wrong_table("the table has " + std::to_string(rows) + " sequences, and the mask " + std::to_string(batch),
                      "give a row for each, or one for all");
  }
  if (view.axes()[1].size < columns) {
    throw wrong_table("the table has " + std::to_string(view.axes()[1].size) +
                          " pages for each sequence, and the keys fill " + std::to_string(columns),
                      "give them all, -1 for those that no query sees; a page has as many keys as a tile");
  }
}

pages_of_batch read_table(const page_table& table, std::int64_t batch, std::int64_t columns) {
  check_table(table, batch, columns);
  const std::int64_t rows = table.pages.axes()[0].size;
  pages_of_batch pages{.batch = std::max(batch, rows), .columns = columns, .count = table.count};
  for (std::int64_t sequence = 0; sequence < pages.batch; ++sequence) {
    for (std::int64_t column = 0; column < columns; ++column) {
      const std::int64_t page = element(table.pages, rows == 1 ? 0 : sequence, column);
      if (page < -1 || (table.count > 0 && page >= table.count)) {
        throw wrong_table("page " + std::to_string(column) + " of sequence " + std::to_string(sequence) + " is " +
                              std::to_string(page) + ", and the cache " +
                              (table.count > 0 ? "has " + std::to_string(table.count) : std::string("starts with 0")),
                          "give a page of the cache, or -1");
      }
      pages.physical.push_back(as_int32(page, "pages"));
      if (table.count == 0) pages.count = std::max(pages.count, page + 1);
    }
  }
  pages.logical.assign(elements_of({pages.batch, pages.count}), -1);
  for (std::int64_t sequence = 0; sequence < pages.batch; ++sequence) {
    for (std::int64_t column = 0; column < columns; ++column) {
      const std::int32_t page = pages.at(sequence, column);
      if (page < 0) continue;
      std::int64_t& logical = pages.logical[static_cast<std::size_t>(sequence * pages.count + page)];
      if (logical >= 0) {
        throw wrong_table("sequence " + std::to_string(sequence) + " has page " + std::to_string(page) +
                              " of the cache twice, as its pages " + std::to_string(logical) + " and " +
                              std::to_string(column),
                          "give each page of a sequence a page of its own");
      }
      logical = column;
    }
  }
  return pages;
}

// The list for each sequence of the table, with the pages of the cache for the columns.
tile_lists::list in_cache(const tile_lists& lists, const tile_lists::list& list, const pages_of_batch& pages) {
  tile_lists::list result;
  for (std::int64_t sequence = 0; sequence < pages.batch; ++sequence) {
    const std::int64_t lists_of_one = lists.heads * lists.rows;
    const std::int64_t first = lists.batch == 1 ? 0 : sequence * lists_of_one;
    auto column = list.columns.begin();
    for (std::int64_t at = 0; at < first; ++at) column += list.counts[static_cast<std::size_t>(at)];
    for (std::int64_t at = first; at < first + lists_of_one; ++at) {
      const std::int32_t count = list.counts[static_cast<std::size_t>(at)];
      result.counts.push_back(count);
      for (std::int32_t tile = 0; tile < count; ++tile, ++column) {
        const std::int32_t page = pages.at(sequence, *column);
        if (page < 0) {
          throw wrong_table("page " + std::to_string(*column) + " of sequence " + std::to_string(sequence) +
                                " is -1, and some query sees its keys",
                            "give its page of the cache");
        }
        result.columns.push_back(page);
      }
    }
  }
  return result;
}

}  // namespace

plan_arrays write_flex_pages(const layer_values& layer, const form_options& options, const side_inputs& inputs) {
  if (!options.pages) {
    throw error("form-pages", "pages", "flex-pages needs a table of pages, and none is given",
                "give the page of the cache for each page of a sequence");
  }
  const tile_plan plan = exact_plan(layer, options.tile, inputs);
  const form_axes axes("flex-pages", options, plan.plane_axes, plan.plane_sizes);
  const pages_of_batch pages = read_table(*options.pages, axes.batch(), plan.columns);
  tile_lists lists = lists_of(plan, axes, options.tile);
  tile_lists::list partial = in_cache(lists, lists.partial, pages);
  tile_lists::list full = in_cache(lists, lists.full, pages);
  lists.batch = pages.batch;

  plan_arrays arrays;
  add_lists(arrays, lists, partial, pages.count, "kv_num_blocks", "kv_indices");
  add_lists(arrays, lists, full, pages.count, "full_kv_num_blocks", "full_kv_indices");
  arrays.arrays.push_back({"BLOCK_SIZE", {2}, std::vector<std::int64_t>{options.tile.queries, options.tile.keys}});
  arrays.arrays.push_back(
      {"seq_lengths", {2}, std::vector<std::int64_t>{plan.queries, pages.count * options.tile.keys}});
  arrays.arrays.push_back({"physical_to_logical", {pages.batch, pages.count}, pages.logical});
  return arrays;
}

}  // namespace axismask
