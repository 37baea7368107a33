// JAX splash attention's MaskInfo. It equals what jax's own process_mask makes of the dense mask: the order of partial
// tiles, what an array holds where a tile is skipped, and the grid that is shrunk to the tiles that are left.
#include <algorithm>
#include <limits>
#include <string>
#include <unordered_map>

#include "forms/form_axes.hpp"
#include "forms/writers.hpp"

namespace axismask {
namespace {

void check_splash(const row_spans& spans, const form_axes& axes, tile_size tile) {
  if (spans.queries % tile.queries != 0 || spans.keys % tile.keys != 0 || spans.queries == 0 || spans.keys == 0) {
    throw error("form-tile", "tile",
                "splash has whole tiles only, and " + std::to_string(spans.queries) + " queries and " +
                    std::to_string(spans.keys) + " keys are no multiples of " + std::to_string(tile.queries) + " and " +
                    std::to_string(tile.keys),
                "give sizes that divide them, or pad the positions with -1 at the end and give the layer the rule "
                "keep_self for empty rows");
  }
  for (std::size_t row = 0; row + 1 < spans.starts.size(); ++row) {
    if (spans.starts[row] != spans.starts[row + 1]) continue;
    const auto plane = static_cast<std::int64_t>(row) / spans.queries;
    throw error("form-rows", axes.place(0, plane, "query", static_cast<std::int64_t>(row) % spans.queries),
                "it sees no key, and splash divides by the number of keys seen",
                "give the layer the rule keep_self for empty rows");
  }
}

// Which heads have one mask: for each head the number of its mask, in the order of the first head that has it.
struct head_masks {
  std::vector<std::int64_t> mask_of;
  std::vector<std::int64_t> plane_of;  // of each mask: the plane of its first head
};

bool same_rows(const row_spans& spans, std::int64_t plane, std::int64_t other) {
  const auto rows_of = [&](std::int64_t one) {
    return std::span(spans.starts)
        .subspan(static_cast<std::size_t>(one * spans.queries), static_cast<std::size_t>(spans.queries) + 1);
  };
  const auto a = rows_of(plane);
  const auto b = rows_of(other);
  for (std::size_t row = 0; row < a.size(); ++row) {
    if (a[row] - a[0] != b[row] - b[0]) return false;
  }
  const auto of = [&](const std::vector<std::int64_t>& numbers, std::span<const std::int64_t> rows) {
    return std::span(numbers).subspan(static_cast<std::size_t>(rows.front()),
                                      static_cast<std::size_t>(rows.back() - rows.front()));
  };
  return std::ranges::equal(of(spans.begins, a), of(spans.begins, b)) &&
         std::ranges::equal(of(spans.ends, a), of(spans.ends, b));
}

head_masks find_masks(const row_spans& spans, const form_axes& axes) {
  head_masks masks;
  for (std::int64_t head = 0; head < axes.heads(); ++head) {
    const std::int64_t plane = axes.plane(0, head);
    const auto known = std::find_if(masks.plane_of.begin(), masks.plane_of.end(),
                                    [&](std::int64_t other) { return same_rows(spans, plane, other); });
    masks.mask_of.push_back(known - masks.plane_of.begin());
    if (known == masks.plane_of.end()) masks.plane_of.push_back(plane);
  }
  return masks;
}

// The elements of partial tiles, each different tile once.
class partial_tiles {
 public:
  partial_tiles(const row_spans& spans, tile_size tile) : spans_(spans), tile_(tile) {}

  // The number of the tile with these elements.
  std::int32_t number_of(std::int64_t plane, std::int64_t row, std::int64_t column) {
    // Of bytes, which hash and compare as strings do.
    std::string bytes(elements_of({tile_.queries, tile_.keys}), '\0');
    const std::int64_t first_key = column * tile_.keys;
    for (std::int64_t query = 0; query < tile_.queries; ++query) {
      const auto at = static_cast<std::size_t>(plane * spans_.queries + row * tile_.queries + query);
      const auto from = spans_.ends.begin() + spans_.starts[at];
      const auto to = spans_.ends.begin() + spans_.starts[at + 1];
      for (auto end = std::upper_bound(from, to, first_key); end != to; ++end) {
        const std::int64_t begin = spans_.begins[static_cast<std::size_t>(end - spans_.ends.begin())];
        if (begin >= first_key + tile_.keys) break;
        const auto line = bytes.begin() + query * tile_.keys;
        std::fill(line + std::max<std::int64_t>(begin - first_key, 0), line + std::min(*end - first_key, tile_.keys),
                  1);
      }
    }
    const auto [known, is_new] = numbers_.try_emplace(std::move(bytes), static_cast<std::int32_t>(numbers_.size()));
    if (is_new) in_order_.push_back(&known->first);
    return known->second;
  }

  [[nodiscard]] plan_array array() const {
    std::vector<bool_byte> elements;
    elements.reserve(elements_of({static_cast<std::int64_t>(in_order_.size()), tile_.queries, tile_.keys}));
    for (const std::string* tile : in_order_) {
      for (const char one : *tile) elements.push_back(static_cast<bool_byte>(one));
    }
    return {"partial_mask_blocks",
            {static_cast<std::int64_t>(in_order_.size()), tile_.queries, tile_.keys},
            std::move(elements)};
  }

 private:
  const row_spans& spans_;
  tile_size tile_;
  std::unordered_map<std::string, std::int32_t> numbers_;
  std::vector<const std::string*> in_order_;  // keys of the map stay where they are
};

// The tiles of all heads, in C order.
struct grid {
  std::int64_t heads = 1;
  std::int64_t rows = 0;
  std::int64_t columns = 0;
  std::vector<std::int32_t> block{};    // 0 none, 1 some, 2 all
  std::vector<std::int32_t> partial{};  // the number of a tile of which some is kept
};

grid classify(const tile_plan& plan, const head_masks& masks, partial_tiles& partials) {
  grid one{.heads = masks.plane_of.size() == 1 ? 1 : static_cast<std::int64_t>(masks.mask_of.size()),
           .rows = plan.rows_per_plane,
           .columns = plan.columns};
  const std::size_t tiles = elements_of({one.rows, one.columns});
  // Each mask once: the numbers of partial tiles count masks first.
  std::vector<std::int32_t> block(tiles * masks.plane_of.size());
  std::vector<std::int32_t> partial(tiles * masks.plane_of.size());
  std::size_t at = 0;
  for (const std::int64_t plane : masks.plane_of) {
    for (std::int64_t row = 0; row < one.rows; ++row) {
      for (const tile_run& run : plan.row(plane, row)) {
        for (std::int32_t column = run.begin; column < run.end; ++column, ++at) {
          block[at] = run.kept == verdict::none ? 0 : run.kept == verdict::some ? 1 : 2;
          if (run.kept == verdict::some) partial[at] = partials.number_of(plane, row, column);
        }
      }
    }
  }
  for (std::int64_t head = 0; head < one.heads; ++head) {
    const auto first =
        static_cast<std::ptrdiff_t>(static_cast<std::size_t>(masks.mask_of[static_cast<std::size_t>(head)]) * tiles);
    one.block.insert(one.block.end(), block.begin() + first,
                     block.begin() + first + static_cast<std::ptrdiff_t>(tiles));
    one.partial.insert(one.partial.end(), partial.begin() + first,
                       partial.begin() + first + static_cast<std::ptrdiff_t>(tiles));
  }
  return one;
}

// At each tile the value of the next one, itself included, that is wanted; after the last comes the first again.
template <class IsWanted, class ValueOf>
std::vector<std::int32_t> next_of(std::size_t count, IsWanted is_wanted, ValueOf value_of) {
  std::vector<std::int32_t> next(count);
  std::size_t first = 0;
  while (first < count && !is_wanted(first)) ++first;
  if (first == count) return next;
  std::int32_t value = value_of(first);
  for (std::size_t at = count; at-- > 0;) {
    if (is_wanted(at)) value = value_of(at);
    next[at] = value;
  }
  return next;
}

// Leaves of each row the tiles that are not skipped, and fills rows up with zeros to the longest.
std::vector<std::int32_t> shrunk(const std::vector<std::int32_t>& values, const grid& tiles, std::int64_t width) {
  std::vector<std::int32_t> result(elements_of({tiles.rows, width}));
  for (std::int64_t row = 0; row < tiles.rows; ++row) {
    auto to = result.begin() + row * width;
    for (std::int64_t column = 0; column < tiles.columns; ++column) {
      const auto at = static_cast<std::size_t>(row * tiles.columns + column);
      if (tiles.block[at] != 0) *to++ = values[at];
    }
  }
  return result;
}

std::int64_t longest_row(const grid& tiles) {
  std::int64_t most = 0;
  for (std::int64_t row = 0; row < tiles.rows; ++row) {
    const auto first = tiles.block.begin() + row * tiles.columns;
    most = std::max<std::int64_t>(most, tiles.columns - std::count(first, first + tiles.columns, 0));
  }
  return most;
}

// The numbers of the smallest type that holds them all.
plan_array smallest(std::string name, std::vector<std::int64_t> sizes, const std::vector<std::int32_t>& numbers) {
  const std::int32_t most = numbers.empty() ? 0 : *std::max_element(numbers.begin(), numbers.end());
  if (numbers.empty() || most > std::numeric_limits<std::int16_t>::max())
    return {std::move(name), std::move(sizes), numbers};
  if (most > std::numeric_limits<std::int8_t>::max())
    return {std::move(name), std::move(sizes), std::vector<std::int16_t>(numbers.begin(), numbers.end())};
  return {std::move(name), std::move(sizes), std::vector<std::int8_t>(numbers.begin(), numbers.end())};
}

}  // namespace

plan_arrays write_splash(const layer_values& layer, const form_options& options, const side_inputs& inputs) {
  const row_spans spans = axismask::spans(layer, inputs, options.call);
  const form_axes axes("splash", options, spans.plane_axes, spans.plane_sizes);
  axes.refuse_batch("make a kernel for each sequence, of its own positions");
  check_splash(spans, axes, options.tile);
  const tile_plan plan = exact_plan(layer, options.tile, inputs);
  partial_tiles partials(spans, options.tile);
  const head_masks masks = find_masks(spans, axes);
  const grid tiles = classify(plan, masks, partials);

  const auto is_some = [&](std::size_t at) { return tiles.block[at] == 1; };
  const bool has_partial = std::find(tiles.block.begin(), tiles.block.end(), 1) != tiles.block.end();
  std::vector<std::int32_t> data_next = next_of(
      tiles.block.size(), [&](std::size_t at) { return tiles.block[at] != 0; },
      [&](std::size_t at) { return static_cast<std::int32_t>(at % static_cast<std::size_t>(tiles.columns)); });
  std::vector<std::int32_t> mask_next =
      next_of(tiles.block.size(), is_some, [&](std::size_t at) { return tiles.partial[at]; });
  std::vector<std::int32_t> block = tiles.block;
  std::vector<std::int64_t> sizes{tiles.heads, tiles.rows, tiles.columns};
  if (masks.plane_of.size() == 1) {
    sizes[2] = longest_row(tiles);
    for (std::vector<std::int32_t>* values : {&data_next, &mask_next, &block})
      *values = shrunk(*values, tiles, sizes[2]);
  }

  plan_arrays arrays;
  arrays.arrays.push_back(smallest("data_next", sizes, data_next));
  if (has_partial) arrays.arrays.push_back(smallest("mask_next", sizes, mask_next));
  arrays.arrays.push_back(smallest("block_mask", sizes, block));
  if (has_partial) arrays.arrays.push_back(partials.array());
  return arrays;
}

}  // namespace axismask
