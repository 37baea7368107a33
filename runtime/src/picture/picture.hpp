// Pictures of rectangles and texts. A picture is drawn once and written as SVG or PNG, so that the two are the same.
//
// The room picture/ shows masks that mask/ has read, as pictures and as texts. Layers, specs and the command line never
// enter: what stands above a mask comes as text.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace axismask {

struct colour {
  std::uint8_t red;
  std::uint8_t green;
  std::uint8_t blue;

  friend bool operator==(const colour&, const colour&) = default;
};

// Units are pixels of a plain screen, from the upper left corner.
struct rectangle {
  int x;
  int y;
  int width;
  int height;

  friend bool operator==(const rectangle&, const rectangle&) = default;
};

enum class anchor : std::uint8_t { start, middle, end };

class picture {
 public:
  picture(int width, int height, std::string title) : width_(width), height_(height), title_(std::move(title)) {}

  // Rectangles of one colour, which are one path of this class in SVG.
  void fill(std::vector<rectangle> boxes, colour paint, std::string_view css_class);
  // The anchor is at `x`, `y`, on the base line.
  void write(int x, int y, std::string_view text, int size, colour paint, anchor at = anchor::start);
  // A text that runs upwards, with its middle at `x`, `y`.
  void write_upwards(int x, int y, std::string_view text, int size, colour paint);

  // All that is on another picture.
  void add(const picture& other) { shapes_.insert(shapes_.end(), other.shapes_.begin(), other.shapes_.end()); }

  [[nodiscard]] std::string svg() const;
  // With two pixels for each unit to each side: screens of today have that many.
  [[nodiscard]] std::string png() const;
  static constexpr int png_scale = 2;

 private:
  struct area {
    std::vector<rectangle> boxes;
    colour paint;
    std::string css_class;
  };
  struct words {
    int x;
    int y;
    std::string text;
    int size;
    colour paint;
    anchor at;
    bool is_turned;
  };

  int width_;
  int height_;
  std::string title_;
  std::vector<std::variant<area, words>> shapes_;
};

// How long a text is, in units.
[[nodiscard]] double text_width(std::string_view text, int size);
// The text, or as much of it as fits with a sign that there is more.
[[nodiscard]] std::string cut_to_width(std::string_view text, int size, double width);

}  // namespace axismask
