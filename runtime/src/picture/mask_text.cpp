// Draws masks with the signs of a terminal.
#include "picture/mask_text.hpp"

#include <algorithm>
#include <bit>
#include <string_view>
#include <utility>
#include <vector>

#include "axismask/messages/text.hpp"
#include "picture/characters.hpp"

namespace axismask {
namespace {

using line = std::u32string;

constexpr std::int64_t columns_between = 3;    // two masks
constexpr std::int64_t narrowest_column = 34;  // of a mask with others beside it
constexpr char32_t padding_sign = U'p';

// What a mask is drawn with.
struct signs {
  char32_t all;
  char32_t upper;  // of two logits, one below the other
  char32_t lower;
  std::u32string_view some;  // from few to many
  char32_t none;
  std::u32string_view frame;  // corners from the upper left on, then the lines across and down
  std::u32string_view down;
  std::u32string_view across;
  std::u32string_view times;
};
constexpr signs block_signs{U'█', U'▀', U'▄', U"░▒▓", U' ', U"┌┐└┘─│", U" ↓", U" →", U" × "};
constexpr signs ascii_signs{U'#', U'/', U'/', U"/", U'.', U"++++-|", U" down", U" across", U" x "};

line text(std::string_view utf8) { return characters(utf8); }
line text(std::int64_t number) { return characters(std::to_string(number)); }

// A text in lines of at most this width, broken at spaces where there are any.
void add_wrapped(line rest, std::int64_t width, std::vector<line>& lines) {
  const auto most = static_cast<std::size_t>(width);
  while (rest.size() > most) {
    std::size_t end = rest.rfind(U' ', most);
    if (end == line::npos || end == 0) end = most;
    lines.push_back(rest.substr(0, end));
    rest.erase(0, rest[end] == U' ' ? end + 1 : end);
  }
  lines.push_back(rest);
}

// How a mask is drawn: logits as signs, in one of three ways.
enum class grain : std::uint8_t { two_signs, half_a_sign, tiles };

struct drawing {
  std::vector<line> head;  // what it is
  std::vector<line> body;  // the mask in its frame, and what it keeps
  std::vector<line> key;   // what the signs mean
};

class text_panel {
 public:
  text_panel(const mask_panel& panel, const signs& chosen, std::int64_t width, bool has_halves)
      : panel_(panel), signs_(chosen), width_(width), grain_(grain_for(has_halves)), map_(read_map(panel, tile())) {}

  drawing draw() {
    drawing result;
    add_wrapped(text(panel_.title), width_, result.head);
    add_wrapped(text(panel_.formula), width_, result.head);
    const mask_rows& mask = *panel_.rows;
    add_wrapped(text(mask.query_axis()) + U" " + text(mask.queries()) + line(signs_.down) + line(signs_.times) +
                    text(mask.kv_axis()) + U" " + text(mask.keys()) + line(signs_.across),
                width_, result.head);
    draw_mask(result.body);
    add_wrapped(text(kept_text(panel_, map_)), width_, result.body);
    add_wrapped(text(keys_text(map_)), width_, result.body);
    result.key = key();
    return result;
  }

 private:
  [[nodiscard]] std::int64_t inside() const { return width_ - 2; }

  [[nodiscard]] grain grain_for(bool has_halves) const {
    const mask_rows& mask = *panel_.rows;
    if (mask.queries() > most_lines()) return grain::tiles;
    if (2 * mask.keys() <= inside()) return grain::two_signs;
    return mask.keys() <= inside() && has_halves ? grain::half_a_sign : grain::tiles;
  }
  [[nodiscard]] std::int64_t most_lines() const { return 2 * width_; }

  // A sign is about twice as high as it is wide. A mask of very many queries is pressed.
  [[nodiscard]] tile_size tile() const {
    if (grain_ != grain::tiles) return {1, 1};
    const std::int64_t least = (panel_.rows->keys() + inside() - 1) / inside();
    // A round number where that cuts the axis evenly: windows often end there, too.
    const auto round = static_cast<std::int64_t>(std::bit_ceil(static_cast<std::uint64_t>(least)));
    const std::int64_t keys = panel_.rows->keys() % round == 0 ? round : least;
    const std::int64_t queries = (panel_.rows->queries() + most_lines() - 1) / most_lines();
    return {std::min(std::max(2 * keys, queries), panel_.rows->queries()), keys};
  }

  [[nodiscard]] char32_t sign(std::int64_t row, std::int64_t column) const {
    const std::size_t index = map_.index(row, column);
    if (grain_ == grain::half_a_sign) {
      const bool upper = map_.kept[index] > 0;
      const bool lower = row + 1 < map_.rows && map_.kept[map_.index(row + 1, column)] > 0;
      return upper ? (lower ? signs_.all : signs_.upper) : (lower ? signs_.lower : signs_.none);
    }
    const std::int64_t kept = map_.kept[index];
    const std::int64_t logits = map_.logits[index];
    if (kept == 0) return signs_.none;
    if (kept == logits) return signs_.all;
    return signs_.some[static_cast<std::size_t>(kept * static_cast<std::int64_t>(signs_.some.size()) / logits)];
  }

  void draw_mask(std::vector<line>& lines) const {
    const std::size_t wide = grain_ == grain::two_signs ? 2 : 1;
    const std::int64_t step = grain_ == grain::half_a_sign ? 2 : 1;
    line top;
    line bottom;
    for (std::int64_t column = 0; column < map_.columns; ++column) {
      const bool is_padding = map_.padding_columns[static_cast<std::size_t>(column)];
      top.append(wide, is_padding ? padding_sign : signs_.frame[4]);
      bottom.append(wide, signs_.frame[4]);
    }
    lines.push_back(signs_.frame[0] + top + signs_.frame[1]);
    for (std::int64_t row = 0; row < map_.rows; row += step) {
      bool is_padding = true;
      for (std::int64_t covered = row; covered < std::min(row + step, map_.rows); ++covered) {
        is_padding = is_padding && map_.padding_rows[static_cast<std::size_t>(covered)];
      }
      line inner(1, is_padding ? padding_sign : signs_.frame[5]);
      for (std::int64_t column = 0; column < map_.columns; ++column) inner.append(wide, sign(row, column));
      lines.push_back(inner + signs_.frame[5]);
    }
    lines.push_back(signs_.frame[2] + bottom + signs_.frame[3]);
  }

  [[nodiscard]] std::vector<line> key() const {
    std::vector<line> lines;
    line meaning = U"each sign is ";
    if (grain_ == grain::two_signs) {
      meaning = line(2, signs_.all) + U" a logit that is kept";
    } else if (grain_ == grain::half_a_sign) {
      meaning += U"2 queries by 1 key: " + line{signs_.all, U' ', signs_.upper, U' ', signs_.lower} +
                 U" kept both, the first, the second";
    } else {
      meaning += text(counted(map_.tile.queries, "query", "queries")) + U" by " + text(counted(map_.tile.keys, "key")) +
                 U": " + signs_.all + U" kept whole,";
      for (const char32_t some : signs_.some) meaning += line{U' ', some};
      meaning += U" in part";
    }
    lines.push_back(meaning);
    if (std::ranges::count(map_.padding_rows, true) + std::ranges::count(map_.padding_columns, true) > 0) {
      lines.push_back(line{padding_sign} + U" on the frame: padding, a negative position or id");
    }
    return lines;
  }

  const mask_panel& panel_;
  const signs& signs_;
  std::int64_t width_;
  grain grain_;
  mask_map map_;
};

}  // namespace

std::string mask_text(std::span<const mask_panel> panels, const text_screen& screen) {
  const signs& chosen = screen.has_blocks ? block_signs : ascii_signs;
  const auto count = static_cast<std::int64_t>(panels.size());
  const std::int64_t beside =
      std::clamp<std::int64_t>((screen.columns + columns_between) / (narrowest_column + columns_between), 1, count);
  const std::int64_t width = std::max(narrowest_column, (screen.columns + columns_between) / beside - columns_between);

  std::string result;
  std::vector<line> keys;  // each once
  for (std::int64_t first = 0; first < count; first += beside) {
    std::vector<drawing> drawings;
    std::size_t head = 0;
    std::size_t body = 0;
    for (std::int64_t at = first; at < std::min(first + beside, count); ++at) {
      drawings.push_back(text_panel(panels[static_cast<std::size_t>(at)], chosen, width, screen.has_blocks).draw());
      head = std::max(head, drawings.back().head.size());
      body = std::max(body, drawings.back().body.size());
      for (const line& one : drawings.back().key) {
        if (std::find(keys.begin(), keys.end(), one) == keys.end()) keys.push_back(one);
      }
    }
    if (first > 0) result += "\n";
    for (std::size_t row = 0; row < head + body; ++row) {
      line joined;
      for (std::size_t at = 0; at < drawings.size(); ++at) {
        const std::vector<line>& lines = row < head ? drawings[at].head : drawings[at].body;
        const std::size_t own_row = row < head ? row : row - head;
        joined.resize(at * static_cast<std::size_t>(width + columns_between), U' ');
        if (own_row < lines.size()) joined += lines[own_row];
      }
      joined.erase(joined.find_last_not_of(U' ') + 1);
      result += utf8(joined) + "\n";
    }
  }
  result += "\n";
  for (const line& key : keys) result += utf8(key) + "\n";
  return result;
}

}  // namespace axismask
