// Lists of tiles, and the forms that are nothing else: FlexAttention's and FlashAttention 4's.
#include "forms/tile_lists.hpp"

#include <algorithm>

#include "forms/writers.hpp"

namespace axismask {
namespace {

void append_row(std::span<const tile_run> runs, std::int64_t row, const tile_grid& grid, tile_lists& lists) {
  std::int32_t partial = 0;
  std::int32_t full = 0;
  for (const tile_run& run : runs) {
    if (run.kept == verdict::none) continue;
    for (std::int32_t column = run.begin; column < run.end; ++column) {
      const bool is_full = run.kept == verdict::all && !grid.is_cut(row, column);
      (is_full ? lists.full : lists.partial).columns.push_back(column);
      ++(is_full ? full : partial);
    }
  }
  lists.partial.counts.push_back(partial);
  lists.full.counts.push_back(full);
}

// FA4 takes lists of any width that holds the longest; none of 0 elements.
std::int64_t longest(const tile_lists::list& list) {
  std::int32_t most = 1;
  for (const std::int32_t count : list.counts) most = std::max(most, count);
  return most;
}

plan_array pair_of(std::string name, std::int64_t first, std::int64_t second) {
  return {std::move(name), {2}, std::vector<std::int64_t>{first, second}};
}

}  // namespace

tile_lists lists_of(const tile_plan& plan, const form_axes& axes, tile_size asked) {
  const tile_grid grid(plan, asked);
  tile_lists lists{.batch = axes.batch(), .heads = axes.heads(), .rows = grid.rows};
  for (std::int64_t batch = 0; batch < axes.batch(); ++batch) {
    for (std::int64_t head = 0; head < axes.heads(); ++head) {
      for (std::int64_t row = 0; row < grid.rows; ++row)
        append_row(plan.row(axes.plane(batch, head), row), row, grid, lists);
    }
  }
  return lists;
}

void add_lists(plan_arrays& arrays, const tile_lists& lists, const tile_lists::list& list, std::int64_t width,
               std::string count_name, std::string index_name) {
  std::vector<std::int32_t> indices(list.counts.size() * static_cast<std::size_t>(width));
  auto from = list.columns.begin();
  auto to = indices.begin();
  for (const std::int32_t count : list.counts) {
    std::copy_n(from, count, to);
    from += count;
    to += width;
  }
  arrays.arrays.push_back({std::move(count_name), {lists.batch, lists.heads, lists.rows}, list.counts});
  arrays.arrays.push_back({std::move(index_name), {lists.batch, lists.heads, lists.rows, width}, std::move(indices)});
}

plan_arrays write_flex(const layer_values& layer, const form_options& options, const side_inputs& inputs) {
  const tile_plan plan = exact_plan(layer, options.tile, inputs);
  const form_axes axes("flex", options, plan.plane_axes, plan.plane_sizes);
  const tile_lists lists = lists_of(plan, axes, options.tile);
  plan_arrays arrays;
  add_lists(arrays, lists, lists.partial, plan.columns, "kv_num_blocks", "kv_indices");
  add_lists(arrays, lists, lists.full, plan.columns, "full_kv_num_blocks", "full_kv_indices");
  arrays.arrays.push_back(pair_of("BLOCK_SIZE", options.tile.queries, options.tile.keys));
  arrays.arrays.push_back(pair_of("seq_lengths", plan.queries, plan.keys));
  return arrays;
}

plan_arrays write_fa4(const layer_values& layer, const form_options& options, const side_inputs& inputs) {
  if (options.tile.queries % 64 != 0 || options.tile.keys % 16 != 0) {
    throw error("form-tile", "tile",
                "fa4 has no tiles of " + std::to_string(options.tile.queries) + " queries and " +
                    std::to_string(options.tile.keys) + " keys",
                "give multiples of 64 queries and 16 keys; on Blackwell 256 and 128");
  }
  const tile_plan plan = exact_plan(layer, options.tile, inputs);
  const form_axes axes("fa4", options, plan.plane_axes, plan.plane_sizes);
  const tile_lists lists = lists_of(plan, axes, options.tile);
  plan_arrays arrays;
  add_lists(arrays, lists, lists.partial, longest(lists.partial), "mask_block_cnt", "mask_block_idx");
  add_lists(arrays, lists, lists.full, longest(lists.full), "full_block_cnt", "full_block_idx");
  arrays.arrays.push_back(pair_of("block_size", options.tile.queries, options.tile.keys));
  return arrays;
}

}  // namespace axismask
