// A mask as a picture shows it: how much of each tile is kept, and what there is to say about the whole.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "axismask/plan.hpp"
#include "mask/mask_rows.hpp"

namespace axismask {

// How far a query sees, where the layer has a number for it: "window 512" is 512 keys from the first to the last, of
// which every one is kept, or every second.
struct mask_reach {
  std::string name;
  std::int64_t keys = 0;
  std::int64_t step = 1;
};

// One mask to show.
struct mask_panel {
  std::string title;
  std::string formula;
  std::optional<mask_reach> reach;
  std::unique_ptr<mask_rows> rows;
};

// Some keys of one query, and what they are.
struct key_span {
  std::string name;
  std::int64_t query;
  std::int64_t first_key;
  std::int64_t last_key;
};

struct mask_map {
  tile_size tile;
  std::int64_t rows = 0;              // of tiles
  std::int64_t columns = 0;           // of tiles
  std::vector<std::int64_t> logits;   // in each tile; those at the end of an axis may be smaller
  std::vector<std::int64_t> kept;     // of them
  std::vector<bool> padding_rows;     // of tiles: are all their queries padding?
  std::vector<bool> padding_columns;  // of tiles: are all their keys?

  std::int64_t all_kept = 0;
  std::int64_t fewest_keys = 0;  // that a query sees
  std::int64_t most_keys = 0;

  // A query that sees as far as the layer's number says, and the keys from its first to its last.
  std::optional<key_span> reaching;

  [[nodiscard]] std::size_t index(std::int64_t row, std::int64_t column) const {
    return static_cast<std::size_t>(row * columns + column);
  }
};

[[nodiscard]] mask_map read_map(const mask_panel& panel, tile_size tile);

// "kept 1,024 of 4,096 (25.0 %)" and "1 to 512 keys a query".
[[nodiscard]] std::string kept_text(const mask_panel& panel, const mask_map& map);
[[nodiscard]] std::string keys_text(const mask_map& map);

}  // namespace axismask
