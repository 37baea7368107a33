// Tile plans of which each verdict is a fact.
#include <algorithm>
#include <array>
#include <cstring>
#include <map>
#include <utility>

#include "axismask/spans.hpp"
#include "plan/tile_planner.hpp"
#include "spans/mask_reader.hpp"

namespace axismask {
namespace {

// A tile in the mask: queries and keys from there on.
struct tile_place {
  std::int64_t plane;
  std::int64_t query;
  std::int64_t queries;
  std::int64_t key;
  std::int64_t keys;
};

class settler {
 public:
  explicit settler(readable_mask& mask)
      : mask_(mask),
        bytes_(mask, std::min<std::int64_t>(rows_at_once, std::max<std::int64_t>(mask.tiles().tile.queries, 1))) {
    count_kept_in_empty_rows();
  }

  [[nodiscard]] tile_plan settle() {
    const tile_plan& before = mask_.tiles();
    std::vector<std::int64_t> starts{0};
    std::vector<tile_run> runs;
    for (std::int64_t row = 0; row < before.planes * before.rows_per_plane; ++row) {
      const std::size_t first = runs.size();
      const std::int64_t plane = row / before.rows_per_plane;
      for (const tile_run& run : before.row(plane, row % before.rows_per_plane)) {
        if (run.kept == verdict::all || (run.kept == verdict::none && !has_extra_in_row(row))) {
          append_run(runs, first, run.begin, run.end, run.kept);
          continue;
        }
        for (std::int32_t column = run.begin; column < run.end; ++column) {
          append_run(runs, first, column, column + 1, settle(row, column, run.kept));
        }
      }
      starts.push_back(static_cast<std::int64_t>(runs.size()));
    }
    check_failure(failure_, mask_.type());
    tile_plan result = mask_.take_tiles();
    result.starts = std::move(starts);
    result.runs = std::move(runs);
    return result;
  }

 private:
  static constexpr std::int64_t rows_at_once = 16;

  // Of each tile, by row of tiles and column, how much the layer's rule keeps in rows that are empty.
  void count_kept_in_empty_rows() {
    const tile_plan& plan = mask_.tiles();
    for (const auto& [row, ranges] : mask_.kept_in_empty_rows()) {
      const std::int64_t tile_row = row / plan.queries * plan.rows_per_plane + row % plan.queries / plan.tile.queries;
      for (const key_range& range : ranges) {
        for (std::int64_t key = range.begin; key < range.end; ++key) ++extra_[{tile_row, key / plan.tile.keys}];
      }
    }
  }
  [[nodiscard]] bool has_extra_in_row(std::int64_t row) const {
    const auto found = extra_.lower_bound({row, 0});
    return found != extra_.end() && found->first.first == row;
  }

  [[nodiscard]] verdict settle(std::int64_t row, std::int64_t column, verdict before) {
    const tile_plan& plan = mask_.tiles();
    tile_place place{};
    place.plane = row / plan.rows_per_plane;
    place.query = row % plan.rows_per_plane * plan.tile.queries;
    place.queries = std::min(plan.tile.queries, plan.queries - place.query);
    place.key = column * plan.tile.keys;
    place.keys = std::min(plan.tile.keys, plan.keys - place.key);
    const auto extra = extra_.find({row, column});
    if (extra == extra_.end()) return before == verdict::some ? look(place) : before;
    const std::int64_t kept = extra->second + (before == verdict::some ? count(place) : 0);
    return kept == place.queries * place.keys ? verdict::all : verdict::some;
  }

  // Most tiles along an edge of a mask show at their corners that they are cut. The others are read.
  [[nodiscard]] verdict look(const tile_place& place) {
    bool any_kept = false;
    bool any_masked = false;
    for (const std::int64_t query : {place.query, place.query + place.queries - 1}) {
      for (const std::int64_t key : {place.key, place.key + place.keys - 1}) {
        (mask_.keeps(mask_.offsets_at(place.plane, query, key)) ? any_kept : any_masked) = true;
      }
    }
    if (any_kept && any_masked) return verdict::some;
    const bool wanted = any_masked;  // what is still to be seen for the tile to be cut: kept, or masked
    for_each_line(place, [&](const std::uint8_t* kept, std::int64_t keys) {
      const void* found = std::memchr(kept, wanted ? 1 : 0, static_cast<std::size_t>(keys));
      if (found != nullptr) (wanted ? any_kept : any_masked) = true;
      return found == nullptr;
    });
    if (any_kept && any_masked) return verdict::some;
    return any_kept ? verdict::all : verdict::none;
  }

  [[nodiscard]] std::int64_t count(const tile_place& place) {
    std::int64_t kept = 0;
    for_each_line(place, [&](const std::uint8_t* line, std::int64_t keys) {
      kept += std::count(line, line + keys, std::uint8_t{1});
      return true;
    });
    return kept;
  }

  // Calls visit(bytes, count) for parts of a tile's lines, as long as it gives true.
  template <class Visit>
  void for_each_line(const tile_place& place, Visit visit) {
    for (std::int64_t row = 0; row < place.queries; row += bytes_.rows()) {
      const std::int64_t rows = std::min(bytes_.rows(), place.queries - row);
      for (std::int64_t key = 0; key < place.keys; key += bytes_.columns()) {
        const std::int64_t keys = std::min(bytes_.columns(), place.keys - key);
        const std::uint8_t* kept = bytes_.read(place.plane, place.query + row, place.key + key, {rows, keys}, failure_);
        for (std::int64_t line = 0; line < rows; ++line) {
          if (!visit(kept + line * bytes_.columns(), keys)) return;
        }
      }
    }
  }

  readable_mask& mask_;
  mask_bytes bytes_;
  kernel_failure failure_;
  std::map<std::pair<std::int64_t, std::int64_t>, std::int64_t> extra_;
};

}  // namespace

tile_plan exact_plan(const layer_values& layer, tile_size tile, const side_inputs& inputs) {
  readable_mask mask(layer, inputs, tile);
  if (mask.tiles().tile_count() == 0) return mask.take_tiles();
  return settler(mask).settle();
}

}  // namespace axismask
