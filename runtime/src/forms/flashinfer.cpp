// FlashInfer's forms: a range of keys for each query, bits, and block-sparse rows with the elements of their blocks.
#include <algorithm>
#include <string>

#include "forms/form_axes.hpp"
#include "forms/writers.hpp"

namespace axismask {
namespace {

constexpr std::string_view a_head_alone = "plan and run each head by itself, or ask for flex, splash or flashmask";

}  // namespace

plan_arrays write_flashinfer_ranges(const layer_values& layer, const form_options& options, const side_inputs& inputs) {
  const row_spans spans = axismask::spans(layer, inputs, options.call);
  const form_axes axes("flashinfer-ranges", options, spans.plane_axes, spans.plane_sizes);
  axes.refuse_heads(a_head_alone);
  (void)as_int32(spans.keys, "keys");
  std::vector<std::int32_t> ranges;
  ranges.reserve(2 * (spans.starts.size() - 1));
  for (std::size_t row = 0; row + 1 < spans.starts.size(); ++row) {
    const auto first = static_cast<std::size_t>(spans.starts[row]);
    const std::int64_t count = spans.starts[row + 1] - spans.starts[row];
    if (count > 1) {
      throw error("form-ranges",
                  axes.place(static_cast<std::int64_t>(row) / spans.queries, 0, "query",
                             static_cast<std::int64_t>(row) % spans.queries),
                  "it sees " + std::to_string(count) + " ranges of keys, [" + std::to_string(spans.begins[first]) +
                      ", " + std::to_string(spans.ends[first]) + ") and from " +
                      std::to_string(spans.begins[first + 1]) + " on, and flashinfer-ranges has one for each query",
                  "ask for flashinfer-packed or flashinfer-bsr");
    }
    ranges.push_back(count == 0 ? -1 : static_cast<std::int32_t>(spans.begins[first]));
    ranges.push_back(count == 0 ? -1 : static_cast<std::int32_t>(spans.ends[first] - 1));
  }
  plan_arrays arrays;
  arrays.arrays.push_back({"mask_ranges", {static_cast<std::int64_t>(spans.starts.size()) - 1, 2}, std::move(ranges)});
  return arrays;
}

plan_arrays write_flashinfer_packed(const layer_values& layer, const form_options& options, const side_inputs& inputs) {
  const row_spans spans = axismask::spans(layer, inputs, options.call);
  const form_axes axes("flashinfer-packed", options, spans.plane_axes, spans.plane_sizes);
  axes.refuse_heads(a_head_alone);
  const std::int64_t bytes_of_one = (spans.queries * spans.keys + 7) / 8;
  (void)as_int32(axes.batch() * bytes_of_one, "bytes");
  std::vector<std::uint8_t> bits(static_cast<std::size_t>(axes.batch() * bytes_of_one));
  const mask_lines lines = bits_in(bits);
  std::vector<std::int32_t> starts;
  for (std::int64_t batch = 0; batch < axes.batch(); ++batch) {
    starts.push_back(static_cast<std::int32_t>(batch * bytes_of_one));
    for (std::int64_t query = 0; query < spans.queries; ++query) {
      const auto row = static_cast<std::size_t>(axes.plane(batch, 0) * spans.queries + query);
      for (auto at = static_cast<std::size_t>(spans.starts[row]); at < static_cast<std::size_t>(spans.starts[row + 1]);
           ++at) {
        lines.fill(8 * batch * bytes_of_one + query * spans.keys + spans.begins[at], spans.ends[at] - spans.begins[at],
                   true);
      }
    }
  }
  starts.push_back(static_cast<std::int32_t>(axes.batch() * bytes_of_one));
  plan_arrays arrays;
  const auto bytes = static_cast<std::int64_t>(bits.size());
  arrays.arrays.push_back({"packed_custom_mask", {bytes}, std::move(bits)});
  arrays.arrays.push_back({"mask_indptr", {axes.batch() + 1}, std::move(starts)});
  return arrays;
}

namespace {

// The blocks of which anything is kept, block row after block row.
struct block_rows {
  std::vector<std::int32_t> starts{0};
  std::vector<std::int32_t> columns;
  bool has_partial = false;
};

block_rows find_blocks(const tile_plan& plan, tile_size tile) {
  const tile_grid grid(plan, tile);
  block_rows blocks;
  for (std::int64_t row = 0; row < grid.rows; ++row) {
    for (const tile_run& run : plan.row(0, row)) {
      if (run.kept == verdict::none) continue;
      blocks.has_partial = blocks.has_partial || run.kept == verdict::some || row == grid.cut_row;
      for (std::int32_t column = run.begin; column < run.end; ++column) blocks.columns.push_back(column);
    }
    blocks.starts.push_back(as_int32(static_cast<std::int64_t>(blocks.columns.size()), "blocks"));
  }
  return blocks;
}

// The elements of the blocks, [blocks, queries of a tile, keys of a tile].
std::vector<bool_byte> elements_of_blocks(const row_spans& spans, const block_rows& blocks, tile_size tile) {
  std::vector<bool_byte> elements(
      elements_of({static_cast<std::int64_t>(blocks.columns.size()), tile.queries, tile.keys}));
  for (std::int64_t query = 0; query < spans.queries; ++query) {
    const auto block_row = static_cast<std::size_t>(query / tile.queries);
    const auto first = blocks.columns.begin() + blocks.starts[block_row];
    const auto last = blocks.columns.begin() + blocks.starts[block_row + 1];
    const auto row = static_cast<std::size_t>(query);
    for (auto at = static_cast<std::size_t>(spans.starts[row]); at < static_cast<std::size_t>(spans.starts[row + 1]);
         ++at) {
      for (std::int64_t begin = spans.begins[at]; begin < spans.ends[at];) {
        const std::int64_t column = begin / tile.keys;
        const std::int64_t end = std::min(spans.ends[at], (column + 1) * tile.keys);
        const std::int64_t block = std::lower_bound(first, last, column) - blocks.columns.begin();
        const auto line = elements.begin() + (block * tile.queries + query % tile.queries) * tile.keys;
        std::fill(line + (begin - column * tile.keys), line + (end - column * tile.keys), bool_byte::yes);
        begin = end;
      }
    }
  }
  return elements;
}

plan_array number_of(std::string name, std::int64_t number) {
  return {std::move(name), {}, std::vector<std::int64_t>{number}};
}

}  // namespace

plan_arrays write_flashinfer_bsr(const layer_values& layer, const form_options& options, const side_inputs& inputs) {
  const tile_size tile = options.tile;
  const tile_plan plan = exact_plan(layer, tile, inputs);
  const form_axes axes("flashinfer-bsr", options, plan.plane_axes, plan.plane_sizes);
  axes.refuse_heads(a_head_alone);
  axes.refuse_batch("plan each sequence by itself, of its own positions, or ask for flashinfer-packed");
  if (plan.keys % tile.keys != 0) {
    throw error("form-tile", "tile",
                "flashinfer-bsr has whole columns of blocks only, and " + std::to_string(plan.keys) +
                    " keys are no multiple of " + std::to_string(tile.keys),
                "give a number that divides them");
  }
  block_rows blocks = find_blocks(plan, tile);
  const auto count = static_cast<std::int64_t>(blocks.columns.size());
  std::vector<bool_byte> elements;
  if (blocks.has_partial) elements = elements_of_blocks(axismask::spans(layer, inputs, options.call), blocks, tile);
  plan_arrays arrays;
  arrays.arrays.push_back({"indptr", {static_cast<std::int64_t>(blocks.starts.size())}, std::move(blocks.starts)});
  arrays.arrays.push_back({"indices", {count}, std::move(blocks.columns)});
  arrays.arrays.push_back(number_of("M", plan.queries));
  arrays.arrays.push_back(number_of("N", plan.keys));
  arrays.arrays.push_back(number_of("R", tile.queries));
  arrays.arrays.push_back(number_of("C", tile.keys));
  if (blocks.has_partial) arrays.arrays.push_back({"mask", {count, tile.queries, tile.keys}, std::move(elements)});
  return arrays;
}

}  // namespace axismask
