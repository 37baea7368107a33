// Counts what a mask keeps, tile by tile.
#include "picture/mask_map.hpp"

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <limits>
#include <numeric>

#include "arrays/whole_parts.hpp"

namespace axismask {
namespace {

// For each tile along an axis: is all of it padding?
std::vector<bool> padding_tiles(const std::vector<bool>& padding, std::int64_t tile, std::int64_t tiles) {
  std::vector<bool> result(static_cast<std::size_t>(tiles), true);
  for (std::size_t at = 0; at < padding.size(); ++at) {
    if (!padding[at]) result[at / static_cast<std::size_t>(tile)] = false;
  }
  return result;
}

// 1,024
std::string grouped(std::int64_t number) {
  std::string text = std::to_string(number);
  for (std::size_t digit = text.size(); digit > 3;) text.insert(digit -= 3, ",");
  return text;
}

}  // namespace

mask_map read_map(const mask_panel& panel, tile_size tile) {
  const mask_rows& mask = *panel.rows;
  mask_map map;
  map.tile = tile;
  map.rows = parts_of(mask.queries(), tile.queries);
  map.columns = parts_of(mask.keys(), tile.keys);
  map.kept.resize(static_cast<std::size_t>(map.rows * map.columns));
  for (std::int64_t row = 0; row < map.rows; ++row) {
    const std::int64_t queries = std::min(tile.queries, mask.queries() - row * tile.queries);
    for (std::int64_t column = 0; column < map.columns; ++column) {
      map.logits.push_back(queries * std::min(tile.keys, mask.keys() - column * tile.keys));
    }
  }
  map.padding_rows = padding_tiles(mask.query_padding(), tile.queries, map.rows);
  map.padding_columns = padding_tiles(mask.key_padding(), tile.keys, map.columns);

  map.fewest_keys = std::numeric_limits<std::int64_t>::max();
  // Of the queries that reach as far as they can, the one that is nearest to this: the picture has room there.
  const std::int64_t best_query = mask.queries() / 2;
  const auto note_reach = [&](const mask_reach& reach, std::int64_t query, std::span<const std::uint8_t> kept) {
    const auto last = std::find(kept.rbegin(), kept.rend(), 1);
    const std::int64_t last_key = kept.rend() - last - 1;
    const std::int64_t first_key = last_key - reach.keys + 1;
    if (first_key < 0) return;
    if (map.reaching && std::abs(map.reaching->query - best_query) <= std::abs(query - best_query)) return;
    for (std::int64_t key = first_key; key <= last_key; ++key) {
      if ((kept[static_cast<std::size_t>(key)] != 0) != ((key - first_key) % reach.step == 0)) return;
    }
    map.reaching = {reach.name, query, first_key, last_key};
  };
  mask.for_each_strip([&](const mask_strip& strip) {
    for (std::int64_t at = 0; at < strip.queries; ++at) {
      const std::int64_t query = strip.first_query + at;
      const auto kept =
          strip.kept.subspan(static_cast<std::size_t>(at * strip.keys), static_cast<std::size_t>(strip.keys));
      std::int64_t keys = 0;
      for (std::int64_t column = 0; column < map.columns; ++column) {
        const std::int64_t first = column * tile.keys;
        const std::int64_t last = std::min(first + tile.keys, strip.keys);
        const std::int64_t here = std::accumulate(kept.begin() + first, kept.begin() + last, std::int64_t{0});
        map.kept[map.index(query / tile.queries, column)] += here;
        keys += here;
      }
      map.all_kept += keys;
      map.fewest_keys = std::min(map.fewest_keys, keys);
      map.most_keys = std::max(map.most_keys, keys);
      if (panel.reach) note_reach(*panel.reach, query, kept);
    }
  });
  return map;
}

std::string kept_text(const mask_panel& panel, const mask_map& map) {
  const std::int64_t logits = panel.rows->queries() * panel.rows->keys();
  std::array<char, 16> percent;
  std::snprintf(percent.data(), percent.size(), "%.1f",
                100 * static_cast<double>(map.all_kept) / static_cast<double>(logits));
  return "kept " + grouped(map.all_kept) + " of " + grouped(logits) + " (" + percent.data() + " %)";
}

std::string keys_text(const mask_map& map) {
  const std::string most = grouped(map.most_keys) + (map.most_keys == 1 ? " key" : " keys") + " a query";
  return map.fewest_keys == map.most_keys ? most : grouped(map.fewest_keys) + " to " + most;
}

}  // namespace axismask
