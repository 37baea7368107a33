// Writes pictures as SVG and PNG.
#include "picture/picture.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdio>
#include <new>
#include <utility>

#include "picture/characters.hpp"

#define STB_TRUETYPE_IMPLEMENTATION
#define STBTT_STATIC
#include <stb_truetype.h>
#define STB_IMAGE_WRITE_IMPLEMENTATION
#define STB_IMAGE_WRITE_STATIC
#define STBI_WRITE_NO_STDIO
#include <stb_image_write.h>

// The font, as its file is. It has its own licence, which is in it.
asm(R"(
.section .rodata
.balign 16
.hidden axismask_picture_font
.global axismask_picture_font
axismask_picture_font: .incbin ")" AXISMASK_FONT R"("
.previous
)");
extern "C" __attribute__((visibility("hidden"))) const unsigned char axismask_picture_font[];

namespace axismask {
namespace {

const stbtt_fontinfo& font() {
  static const stbtt_fontinfo info = [] {
    stbtt_fontinfo result;
    stbtt_InitFont(&result, axismask_picture_font, 0);
    return result;
  }();
  return info;
}

int advance(char32_t character) {
  int width = 0;
  int bearing = 0;
  stbtt_GetCodepointHMetrics(&font(), static_cast<int>(character), &width, &bearing);
  return width;
}

std::string hex(colour paint) {
  std::array<char, 8> text;
  std::snprintf(text.data(), text.size(), "#%02x%02x%02x", paint.red, paint.green, paint.blue);
  return text.data();
}

std::string escaped(std::string_view text) {
  std::string result;
  for (const char one : utf8(characters(text))) {
    switch (one) {
      case '&':
        result += "&amp;";
        break;
      case '<':
        result += "&lt;";
        break;
      case '>':
        result += "&gt;";
        break;
      default:
        result += one;
    }
  }
  return result;
}

// Pixels of three bytes, row after row.
class canvas {
 public:
  canvas(int width, int height)
      : width_(width),
        height_(height),
        pixels_(static_cast<std::size_t>(width) * static_cast<std::size_t>(height) * 3) {}

  void fill(const rectangle& box, colour paint) {
    for (int y = box.y; y < box.y + box.height; ++y) {
      for (int x = box.x; x < box.x + box.width; ++x) mix(x, y, paint, 255);
    }
  }

  // The coverage of a text's pixels comes from its glyphs, which are drawn straight and, if need be, turned.
  void write(double x, double y, std::string_view text, int size, colour paint, bool is_turned) {
    const float scale = stbtt_ScaleForMappingEmToPixels(&font(), static_cast<float>(size));
    for (const char32_t character : characters(text)) {
      const int glyph = stbtt_FindGlyphIndex(&font(), static_cast<int>(character));
      const double along = is_turned ? y : x;  // a turned text runs from below: towards lower numbers
      const double pixel = std::floor(is_turned ? -along : along);
      const auto shift = static_cast<float>((is_turned ? -along : along) - pixel);
      int left = 0;
      int top = 0;
      int right = 0;
      int bottom = 0;
      stbtt_GetGlyphBitmapBoxSubpixel(&font(), glyph, scale, scale, shift, 0, &left, &top, &right, &bottom);
      const int wide = right - left;
      const int high = bottom - top;
      std::vector<unsigned char> coverage(static_cast<std::size_t>(wide) * static_cast<std::size_t>(high));
      if (!coverage.empty()) {
        stbtt_MakeGlyphBitmapSubpixel(&font(), coverage.data(), wide, high, wide, scale, scale, shift, 0, glyph);
      }
      auto next = coverage.begin();
      for (int row = 0; row < high; ++row) {
        for (int column = 0; column < wide; ++column) {
          const int forward = static_cast<int>(pixel) + left + column;
          const int upward = top + row;  // negative above the base line
          const unsigned char cover = *next++;
          if (is_turned) {
            mix(static_cast<int>(std::lround(x)) + upward, -forward - 1, paint, cover);
          } else {
            mix(forward, static_cast<int>(std::lround(y)) + upward, paint, cover);
          }
        }
      }
      const double step = advance(character) * static_cast<double>(scale);
      (is_turned ? y : x) += is_turned ? -step : step;
    }
  }

  [[nodiscard]] std::string png() const {
    stbi_write_force_png_filter = 0;  // flat colours are packed best as they are
    std::string file;
    const auto append = [](void* to, void* bytes, int size) {
      static_cast<std::string*>(to)->append(static_cast<const char*>(bytes), static_cast<std::size_t>(size));
    };
    if (stbi_write_png_to_func(append, &file, width_, height_, 3, pixels_.data(), 3 * width_) == 0) {
      throw std::bad_alloc();  // the one thing that goes wrong there
    }
    return file;
  }

 private:
  void mix(int x, int y, colour paint, int cover) {
    if (x < 0 || y < 0 || x >= width_ || y >= height_) return;
    std::uint8_t* pixel = pixels_.data() + 3 * (static_cast<std::size_t>(y) * static_cast<std::size_t>(width_) +
                                                static_cast<std::size_t>(x));
    const auto towards = [cover](std::uint8_t& from, int to) {
      from = static_cast<std::uint8_t>((from * (255 - cover) + to * cover + 127) / 255);
    };
    towards(pixel[0], paint.red);
    towards(pixel[1], paint.green);
    towards(pixel[2], paint.blue);
  }

  int width_;
  int height_;
  std::vector<std::uint8_t> pixels_;
};

}  // namespace

void picture::fill(std::vector<rectangle> boxes, colour paint, std::string_view css_class) {
  if (!boxes.empty()) shapes_.emplace_back(area{std::move(boxes), paint, std::string(css_class)});
}

void picture::write(int x, int y, std::string_view text, int size, colour paint, anchor at) {
  shapes_.emplace_back(words{x, y, std::string(text), size, paint, at, false});
}

void picture::write_upwards(int x, int y, std::string_view text, int size, colour paint) {
  shapes_.emplace_back(words{x, y, std::string(text), size, paint, anchor::middle, true});
}

std::string picture::svg() const {
  const std::string width = std::to_string(width_);
  const std::string height = std::to_string(height_);
  // Verdana is as wide as DejaVu Sans, and where one is not the other is.
  std::string file = "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"" + width + "\" height=\"" + height +
                     "\" viewBox=\"0 0 " + width + " " + height +
                     "\" font-family=\"Verdana, 'DejaVu Sans', sans-serif\">\n<title>" + escaped(title_) + "</title>\n";
  for (const auto& shape : shapes_) {
    if (const auto* filled = std::get_if<area>(&shape)) {
      file += "<path class=\"" + filled->css_class + "\" fill=\"" + hex(filled->paint) +
              "\" shape-rendering=\"crispEdges\" d=\"";
      for (const rectangle& box : filled->boxes) {
        file += "M" + std::to_string(box.x) + " " + std::to_string(box.y) + "h" + std::to_string(box.width) + "v" +
                std::to_string(box.height) + "h-" + std::to_string(box.width) + "z";
      }
      file += "\"/>\n";
    } else {
      const auto& text = std::get<words>(shape);
      const std::string x = std::to_string(text.x);
      const std::string y = std::to_string(text.y);
      constexpr const char* anchors[] = {"", " text-anchor=\"middle\"", " text-anchor=\"end\""};
      file += "<text x=\"" + x + "\" y=\"" + y + "\" font-size=\"" + std::to_string(text.size) + "\" fill=\"" +
              hex(text.paint) + "\"" + anchors[static_cast<std::size_t>(text.at)] +
              (text.is_turned ? " transform=\"rotate(-90 " + x + " " + y + ")\"" : "") + ">" + escaped(text.text) +
              "</text>\n";
    }
  }
  return file + "</svg>\n";
}

std::string picture::png() const {
  canvas pixels(width_ * png_scale, height_ * png_scale);
  for (const auto& shape : shapes_) {
    if (const auto* filled = std::get_if<area>(&shape)) {
      for (const rectangle& box : filled->boxes) {
        pixels.fill({box.x * png_scale, box.y * png_scale, box.width * png_scale, box.height * png_scale},
                    filled->paint);
      }
    } else {
      const auto& text = std::get<words>(shape);
      const double before = text_width(text.text, text.size) * static_cast<int>(text.at) / 2;
      const double x = text.is_turned ? text.x : text.x - before;
      const double y = text.is_turned ? text.y + before : text.y;
      pixels.write(x * png_scale, y * png_scale, text.text, text.size * png_scale, text.paint, text.is_turned);
    }
  }
  return pixels.png();
}

double text_width(std::string_view text, int size) {
  std::int64_t units = 0;
  for (const char32_t character : characters(text)) units += advance(character);
  return static_cast<double>(units) * static_cast<double>(stbtt_ScaleForMappingEmToPixels(&font(), 1.0F)) * size;
}

std::string cut_to_width(std::string_view text, int size, double width) {
  if (text_width(text, size) <= width) return std::string(text);
  std::u32string left = characters(text);
  std::string cut;
  do {
    left.pop_back();
    cut = utf8(left) + "…";
  } while (!left.empty() && text_width(cut, size) > width);
  return cut;
}

}  // namespace axismask
