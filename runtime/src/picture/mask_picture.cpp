// Draws masks as pictures.
#include "picture/mask_picture.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "arrays/whole_parts.hpp"
#include "axismask/messages/text.hpp"

namespace axismask {
namespace {

// Blue, grey and amber are told apart by all eyes.
constexpr colour white{255, 255, 255};
constexpr colour kept_colour{37, 99, 168};
constexpr colour masked_colour{233, 237, 242};
constexpr colour padding_colour{246, 207, 131};
constexpr colour reach_colour{194, 65, 12};
constexpr colour frame_colour{148, 158, 172};
constexpr colour strong_text{28, 35, 46};
constexpr colour plain_text{84, 94, 110};

// Sizes of texts and distances, in pixels.
constexpr int title_size = 17;
constexpr int name_size = 14;
constexpr int text_size = 11;
constexpr int line_height = 16;
constexpr int margin = 20;
constexpr int gap = 30;            // between two masks
constexpr int narrowest = 240;     // of a mask with its texts
constexpr int largest_cell = 26;   // one logit's side, where there are few
constexpr int smallest_side = 40;  // of a mask with few queries or few keys
constexpr int gridded_cell = 9;    // logits of at least this side have lines between them
constexpr int tick = 4;
constexpr int label_space = 8;  // before a bracket's name
constexpr std::size_t most_beside = 4;
constexpr std::array<int, most_beside + 1> longest_side{0, 512, 384, 272, 208};  // by the number of masks in a row

// Tiles that are kept in part have one of these shades between masked and kept.
constexpr std::int64_t shades = 8;

colour shade(std::int64_t level) {
  const auto between = [level](int from, int to) {
    return static_cast<std::uint8_t>(from + (to - from) * static_cast<int>(level) / static_cast<int>(shades));
  };
  return {between(masked_colour.red, kept_colour.red), between(masked_colour.green, kept_colour.green),
          between(masked_colour.blue, kept_colour.blue)};
}

// One axis of a mask: so many cells, each a number of logits and a number of pixels wide.
struct scale {
  std::int64_t size;
  std::int64_t tile;
  std::int64_t cells;
  int cell;

  scale(std::int64_t logits, std::int64_t side) : size(logits), tile(parts_of(logits, side)) {
    cells = parts_of(size, tile);
    cell = static_cast<int>(std::clamp<std::int64_t>(side / cells, 1, largest_cell));
  }

  [[nodiscard]] int pixels() const { return static_cast<int>(cells) * cell; }
  // Where a logit begins, and where its middle is.
  [[nodiscard]] int start(std::int64_t logit) const { return static_cast<int>(logit * cell / tile); }
  [[nodiscard]] int middle(std::int64_t logit) const { return static_cast<int>((2 * logit + 1) * cell / (2 * tile)); }

  // Round numbers along the axis, as many as have room.
  [[nodiscard]] std::vector<std::int64_t> ticks() const {
    const int space = std::max(44, static_cast<int>(text_width(std::to_string(size), text_size)) + 16);
    const std::int64_t most = std::max(1, pixels() / space);
    std::int64_t step = 1;
    if (size % 64 == 0) {  // 256, 512, ... where the size is of that kind
      while (parts_of(size, step) > most) step *= 2;
    } else {
      for (int turn = 0; parts_of(size, step) > most; ++turn) step = turn % 3 == 1 ? step / 2 * 5 : step * 2;
    }
    if (cell >= 18) step = 1;  // every logit
    std::vector<std::int64_t> result;
    for (std::int64_t at = 0; at < size; at += step) result.push_back(at);
    return result;
  }
};

// Both axes to one scale, unless the shorter would be too short to be seen.
std::pair<scale, scale> scales(std::int64_t queries, std::int64_t keys, std::int64_t side) {
  const std::int64_t longer = std::max(queries, keys);
  const auto side_of = [&](std::int64_t size) {
    return std::max<std::int64_t>(size == longer ? side : size * side / longer, smallest_side);
  };
  scale down(queries, side_of(queries));
  scale across(keys, side_of(keys));
  // Rounded, the two may differ by a pixel.
  scale& finer = queries < keys ? down : across;
  const scale& other = queries < keys ? across : down;
  if (finer.tile == other.tile && finer.pixels() >= smallest_side) finer.cell = std::min(finer.cell, other.cell);
  return {down, across};
}

// A formula in lines, broken before && and || where it is too long.
std::vector<std::string> formula_lines(const std::string& formula, int width) {
  std::vector<std::string> lines(1);
  std::size_t from = 0;
  while (from < formula.size()) {
    const std::size_t end = std::min(formula.find(" && ", from + 1), formula.find(" || ", from + 1));
    const std::string condition = formula.substr(from, end == std::string::npos ? end : end - from);
    if (!lines.back().empty() && text_width(lines.back() + condition, text_size) > width) {
      lines.push_back(condition.substr(1));
    } else {
      lines.back() += condition;
    }
    from = end == std::string::npos ? formula.size() : end;
  }
  for (std::string& line : lines) line = cut_to_width(line, text_size, width);
  return lines;
}

// What occurs in the picture, for the legend.
struct occurrences {
  bool kept = false;
  bool in_part = false;
  bool masked = false;
  bool padding = false;
  std::vector<std::string> tiles;  // the sizes of those that are kept in part: "6 x 6"
};

class panel_drawing {
 public:
  panel_drawing(const mask_panel& panel, std::int64_t side)
      : panel_(panel),
        scales_(scales(panel.rows->queries(), panel.rows->keys(), side)),
        map_(read_map(panel, {down().tile, across().tile})) {
    const mask_rows& mask = *panel.rows;
    const auto named = [](const std::string& axis, std::int64_t number, const char* one, const char* more) {
      constexpr double longest = 180;
      return cut_to_width(axis, text_size, longest) + ": " + counted(number, one, more);
    };
    down_name_ = named(mask.query_axis(), mask.queries(), "query", "queries");
    across_name_ = named(mask.kv_axis(), mask.keys(), "key", "keys");
    // A mask of few queries or keys has no room for the names at its sides.
    has_side_name_ = text_width(down_name_, text_size) <= down().pixels() + 20 &&
                     text_width(across_name_, text_size) <= across().pixels() + 60;
    if (!has_side_name_) across_name_ = down_name_ + " down, " + across_name_ + " across";

    const auto wide = [](const std::string& text) { return static_cast<int>(std::ceil(text_width(text, text_size))); };
    left_ = (has_side_name_ ? line_height : 0) + 10 + tick + wide(std::to_string(down().ticks().back()));
    width_ = std::max(left_ + across().pixels(), narrowest);
    width_ =
        std::max(width_, left_ + std::max({wide(across_name_), wide(kept_text(panel, map_)), wide(keys_text(map_))}));
    if (map_.reaching) {
      reach_label_ = find_reach_label(*map_.reaching);
      width_ = std::max(width_, left_ + reach_label_ + reach_width(*map_.reaching));
    }
    formula_ = formula_lines(panel.formula, width_);
  }

  [[nodiscard]] int width() const { return width_; }
  [[nodiscard]] int head_height(std::size_t formula_lines) const {
    return name_size + 6 + static_cast<int>(formula_lines) * line_height + 10;
  }
  [[nodiscard]] std::size_t formula_line_count() const { return formula_.size(); }
  [[nodiscard]] int body_height() const { return down().pixels() + tick + 4 * line_height + 6; }

  // The picture's head begins at y, and the mask `head` below.
  void draw(picture& out, int x, int y, int head, occurrences& found) const {
    out.write(x, y + name_size - 2, cut_to_width(panel_.title, name_size, width_), name_size, strong_text);
    for (std::size_t line = 0; line < formula_.size(); ++line) {
      out.write(x, y + name_size + 6 + static_cast<int>(line + 1) * line_height - 4, formula_[line], text_size,
                plain_text);
    }
    x += left_;
    y += head;
    draw_logits(out, x, y, found);
    draw_frame(out, x, y);
    draw_axes(out, x, y);
    if (map_.reaching) draw_reach(out, x, y, *map_.reaching);
  }

 private:
  [[nodiscard]] const scale& down() const { return scales_.first; }
  [[nodiscard]] const scale& across() const { return scales_.second; }

  // -1 for padding, 0 for masked, `shades` for kept.
  [[nodiscard]] std::int64_t level(std::int64_t row, std::int64_t column) const {
    const std::size_t index = map_.index(row, column);
    const std::int64_t kept = map_.kept[index];
    if (kept == map_.logits[index]) return shades;
    if (kept > 0)
      return std::clamp<std::int64_t>((2 * shades * kept + map_.logits[index]) / (2 * map_.logits[index]), 1,
                                      shades - 1);
    return map_.padding_rows[static_cast<std::size_t>(row)] || map_.padding_columns[static_cast<std::size_t>(column)]
               ? -1
               : 0;
  }

  // Equal cells next to each other are one rectangle, and so are equal runs of cells one below the other.
  void draw_logits(picture& out, int x, int y, occurrences& found) const {
    struct run {
      std::int64_t begin;
      std::int64_t end;
      std::int64_t level;
      std::int64_t first_row;
    };
    std::array<std::vector<rectangle>, shades + 2> rectangles;
    const auto close = [&](const run& one, std::int64_t row) {
      if (one.level == 0) return;  // the ground
      const int cell_x = across().cell;
      const int cell_y = down().cell;
      rectangles[static_cast<std::size_t>(one.level + 1)].push_back(
          {x + static_cast<int>(one.begin) * cell_x, y + static_cast<int>(one.first_row) * cell_y,
           static_cast<int>(one.end - one.begin) * cell_x, static_cast<int>(row - one.first_row) * cell_y});
    };
    std::vector<run> open;
    for (std::int64_t row = 0; row < map_.rows; ++row) {
      std::vector<run> runs;
      for (std::int64_t column = 0; column < map_.columns; ++column) {
        const std::int64_t here = level(row, column);
        found.masked = found.masked || here == 0;
        if (runs.empty() || runs.back().level != here) runs.push_back({column, column, here, row});
        runs.back().end = column + 1;
      }
      for (const run& before : open) {
        const auto same = std::find_if(runs.begin(), runs.end(), [&](const run& one) {
          return one.begin == before.begin && one.end == before.end && one.level == before.level;
        });
        if (same == runs.end()) {
          close(before, row);
        } else {
          same->first_row = before.first_row;
        }
      }
      open = std::move(runs);
    }
    for (const run& one : open) close(one, map_.rows);

    out.fill({{x, y, across().pixels(), down().pixels()}}, masked_colour, "masked");
    found.padding = found.padding || !rectangles[0].empty();
    found.kept = found.kept || !rectangles[shades + 1].empty();
    out.fill(std::move(rectangles[0]), padding_colour, "padding");
    for (std::int64_t level = 1; level < shades; ++level) {
      std::vector<rectangle>& of_shade = rectangles[static_cast<std::size_t>(level + 1)];
      if (!of_shade.empty()) {
        found.in_part = true;
        const std::string tile = std::to_string(map_.tile.queries) + " × " + std::to_string(map_.tile.keys);
        if (std::find(found.tiles.begin(), found.tiles.end(), tile) == found.tiles.end()) found.tiles.push_back(tile);
      }
      out.fill(std::move(of_shade), shade(level), "part");
    }
    out.fill(std::move(rectangles[shades + 1]), kept_colour, "kept");
  }

  void draw_frame(picture& out, int x, int y) const {
    const int width = across().pixels();
    const int height = down().pixels();
    std::vector<rectangle> grid;
    if (std::min(across().cell, down().cell) >= gridded_cell) {
      for (int at = across().cell; at < width; at += across().cell) grid.push_back({x + at, y, 1, height});
      for (int at = down().cell; at < height; at += down().cell) grid.push_back({x, y + at, width, 1});
    }
    out.fill(std::move(grid), white, "grid");
    out.fill({{x - 1, y - 1, width + 2, 1},
              {x - 1, y + height, width + 2, 1},
              {x - 1, y, 1, height},
              {x + width, y, 1, height}},
             frame_colour, "frame");
  }

  void draw_axes(picture& out, int x, int y) const {
    std::vector<rectangle> ticks;
    for (const std::int64_t at : down().ticks()) {
      const int middle = y + down().middle(at);
      ticks.push_back({x - 1 - tick, middle, tick, 1});
      out.write(x - tick - 5, middle + 4, std::to_string(at), text_size, plain_text, anchor::end);
    }
    const int bottom = y + down().pixels();
    for (const std::int64_t at : across().ticks()) {
      const int middle = x + across().middle(at);
      ticks.push_back({middle, bottom + 1, 1, tick});
      out.write(middle, bottom + tick + 13, std::to_string(at), text_size, plain_text, anchor::middle);
    }
    out.fill(std::move(ticks), frame_colour, "ticks");

    const int line = bottom + tick + 2 * line_height;
    if (has_side_name_) {
      out.write_upwards(x - left_ + text_size, y + down().pixels() / 2, down_name_, text_size, strong_text);
      out.write(x + across().pixels() / 2, line, across_name_, text_size, strong_text, anchor::middle);
    } else {
      out.write(x, line, across_name_, text_size, strong_text);
    }
    out.write(x, line + line_height + 2, kept_text(panel_, map_), text_size, plain_text);
    out.write(x, line + 2 * line_height + 2, keys_text(map_), text_size, plain_text);
  }

  // A bracket from the first key to the last, with a white edge so that it is seen on every ground.
  void draw_reach(picture& out, int x, int y, const key_span& span) const {
    const int middle = y + down().middle(span.query);
    const int left = x + across().start(span.first_key);
    const int right = std::max(x + across().start(span.last_key + 1), left + 4);
    constexpr int half = 5;
    out.fill({{left - 1, middle - half - 1, 4, 2 * half + 2},
              {right - 3, middle - half - 1, 4, 2 * half + 2},
              {left, middle - 2, right - left, 4}},
             white, "halo");
    out.fill({{left, middle - half, 2, 2 * half},
              {right - 2, middle - half, 2, 2 * half},
              {left, middle - 1, right - left, 2}},
             reach_colour, "reach");
    out.write(x + reach_label_, middle + 4, span.name, text_size, reach_colour);
  }

  // Where the reach's name begins: right of the bracket, or left of it, where nothing is kept; or right of the mask.
  [[nodiscard]] int find_reach_label(const key_span& span) const {
    const int width = reach_width(span);
    const int left = across().start(span.first_key) - label_space - width;
    const int right = across().start(span.last_key + 1) + label_space;
    for (const int from : {right, left}) {
      if (from >= 0 && from + width <= across().pixels() && nothing_kept(span.query, from, from + width)) return from;
    }
    return across().pixels() + label_space;
  }
  // Between these pixels, by this query and those next to it?
  [[nodiscard]] bool nothing_kept(std::int64_t query, int from, int to) const {
    const int middle = down().middle(query);
    const std::int64_t last_row = std::min<std::int64_t>((middle + text_size / 2) / down().cell, map_.rows - 1);
    for (std::int64_t row = std::max(middle - text_size / 2, 0) / down().cell; row <= last_row; ++row) {
      for (std::int64_t column = from / across().cell; column <= (to - 1) / across().cell; ++column) {
        if (map_.kept[map_.index(row, column)] > 0) return false;
      }
    }
    return true;
  }
  [[nodiscard]] static int reach_width(const key_span& span) {
    return static_cast<int>(std::ceil(text_width(span.name, text_size)));
  }

  const mask_panel& panel_;
  std::pair<scale, scale> scales_;
  mask_map map_;
  int left_ = 0;
  int width_ = 0;
  int reach_label_ = 0;
  std::string down_name_;
  std::string across_name_;
  bool has_side_name_ = true;
  std::vector<std::string> formula_;
};

// A square of each colour with its meaning; broken into lines. Without a picture, tells only the height.
int draw_legend(picture* out, int x, int y, int width, const occurrences& found) {
  struct entry {
    std::vector<colour> paints;
    std::string meaning;
  };
  std::vector<entry> entries;
  if (found.kept) entries.push_back({{kept_colour}, "kept"});
  if (found.in_part) {
    std::string tiles;
    for (const std::string& tile : found.tiles) tiles += (tiles.empty() ? "" : " or ") + tile;
    entries.push_back({{shade(2), shade(4), shade(6)}, "kept in part: a tile of " + tiles + " logits"});
  }
  if (found.masked) entries.push_back({{masked_colour}, "masked"});
  if (found.padding) entries.push_back({{padding_colour}, "padding: a negative position or id"});
  constexpr int square = 12;
  int at = x;
  int line = y;
  for (const entry& one : entries) {
    const int paints = square * static_cast<int>(one.paints.size());
    const int needed = paints + 6 + static_cast<int>(std::ceil(text_width(one.meaning, text_size)));
    if (at > x && at + needed > x + width) {
      at = x;
      line += square + 8;
    }
    if (out != nullptr) {
      out->fill({{at - 1, line - 1, paints + 2, square + 2}}, frame_colour, "legend");
      for (std::size_t paint = 0; paint < one.paints.size(); ++paint) {
        out->fill({{at + square * static_cast<int>(paint), line, square, square}}, one.paints[paint], "legend");
      }
      out->write(at + paints + 6, line + square - 2, one.meaning, text_size, plain_text);
    }
    at += needed + 22;
  }
  return line + square - y;
}

}  // namespace

picture mask_picture(const std::string& title, std::span<const mask_panel> panels) {
  const std::size_t lines = (panels.size() + most_beside - 1) / most_beside;
  const std::size_t beside = (panels.size() + lines - 1) / lines;

  std::vector<panel_drawing> drawings;
  drawings.reserve(panels.size());
  for (const mask_panel& panel : panels) drawings.emplace_back(panel, longest_side[beside]);

  // Columns are as wide as their widest mask, and rows as high as their highest.
  std::vector<int> widths(beside, 0);
  std::vector<int> heads(lines, 0);
  std::vector<int> bodies(lines, 0);
  for (std::size_t at = 0; at < drawings.size(); ++at) {
    const panel_drawing& one = drawings[at];
    widths[at % beside] = std::max(widths[at % beside], one.width());
    heads[at / beside] = std::max(heads[at / beside], one.head_height(one.formula_line_count()));
    bodies[at / beside] = std::max(bodies[at / beside], one.body_height());
  }
  int inside = gap * static_cast<int>(beside - 1);
  for (const int width : widths) inside += width;
  int height = margin + title_size + 14;
  for (std::size_t line = 0; line < lines; ++line) height += heads[line] + bodies[line] + gap - 6;

  // The masks are drawn on a picture of their own to know what occurs before the legend's height is known.
  occurrences found;
  picture masks(0, 0, "");
  int y = margin + title_size + 14;
  for (std::size_t line = 0; line < lines; ++line) {
    int x = margin;
    for (std::size_t at = line * beside; at < std::min((line + 1) * beside, drawings.size()); ++at) {
      drawings[at].draw(masks, x, y, heads[line], found);
      x += widths[at % beside] + gap;
    }
    y += heads[line] + bodies[line] + gap - 6;
  }
  const int legend = draw_legend(nullptr, margin, height, inside, found);

  picture result(inside + 2 * margin, height + legend + margin, title);
  result.fill({{0, 0, inside + 2 * margin, height + legend + margin}}, white, "ground");
  result.write(margin, margin + title_size - 3, cut_to_width(title, title_size, inside), title_size, strong_text);
  result.add(masks);
  draw_legend(&result, margin, height, inside, found);
  return result;
}

}  // namespace axismask
