// The Halide generator of the kernels for devices (CUDA, OpenCL and their like): instantiated for a layer, it makes
// that layer's kernels.
#pragma once

#include <Halide.h>

#include <cstddef>
#include <vector>

#include "axismask/generator/operands.hpp"
#include "axismask/kernel/device_tiles.hpp"
#include "axismask/layer.hpp"

namespace axismask::generator {

// What a schedule needs to know of a device kernel.
struct tiled {
  Halide::Func out;
  Halide::RDom loops;  // word, row of the thread, thread, row of threads, tile, copy
  Halide::Expr work;
  bool words;
};
void schedule_for_device(const tiled& kernel);

// A call does the same with every tile of a list: decide, copy or fill (device_tiles.hpp). The runtime makes the lists
// from a plan: of what the mask tells of a whole tile nothing is computed, and what need not be touched is in no list.
//
// Tiles lie along axes 0 and 1 of a box, at one index of axis 2; each stands for all of axis 3. Arrays, in this order:
// logits; the layer's operands; the masked value's bits, repeated to fill 64; the tiles, of which each has its column
// and row, in tiles, and its index along axis 2; what to do with them; out. Every array has one axis more, the last, at
// whose index 1 the box starts: its stride is how far in the array's memory that is. Not every device can point into an
// array.
//
// With `words` the logits and the result are seen as words of 32 bits, contiguous along axis 0 and aligned to 16 bytes,
// the widest access that a device has: Halide 21 makes such accesses of 4 aligned words only. Without, of elements, of
// any strides. Strides of operands are those of elements in both.
template <class Layer>
class device_generator : public Halide::Generator<device_generator<Layer>> {
  using base = Halide::Generator<device_generator<Layer>>;

 public:
  Halide::GeneratorParam<int> element_bytes{"element_bytes", 4};
  Halide::GeneratorParam<bool> words{"words", false};

  void configure() {
    const Halide::Type stored = Halide::UInt(words ? 32 : 8 * element_bytes);
    logits_ = base::template add_input<Halide::Buffer<void>>("logits", stored, device_rank);
    operands_.add_to(*this, 8, device_rank);
    masked_ = base::template add_input<Halide::Expr>("masked_out_value_bits", Halide::UInt(64));
    tiles_ = base::template add_input<Halide::Buffer<void>>("tiles", Halide::Int(32), 3);
    work_ = base::template add_input<Halide::Expr>("work", Halide::Int(32));
    out_ = base::template add_output<Halide::Buffer<void>>("masked", stored, device_rank);
  }

  void generate() {
    using Halide::Expr;
    // Of the logits: an output has no extents of its own before it is assigned.
    const Expr start = 1;
    const int per_thread = words ? device_tile::words_per_thread : 1;
    const Halide::RDom at({{0, per_thread},
                           {0, device_tile::rows_per_thread},
                           {0, device_tile::threads_along_row},
                           {0, device_tile::threads_along_column},
                           {0, tiles_->dim(1).extent()},
                           {0, logits_->dim(3).extent()}});
    const Expr unit = (*tiles_)(0, at[4], start) * device_tile::threads_along_row + at[2];
    const Expr row = (*tiles_)(1, at[4], start) * device_tile::rows + at[1] * device_tile::threads_along_column + at[3];
    const Expr units = logits_->dim(0).extent() / per_thread;
    const Expr rows = logits_->dim(1).extent();
    Halide::RDom loops = at;
    loops.where(unit < units && row < rows);
    // Halide cannot know where the tiles of a list lie.
    const auto within = [](const Expr& place, const Expr& extent) {
      return Halide::unsafe_promise_clamped(place, 0, extent - 1);
    };
    const std::vector<Expr> index{within(unit, units) * per_thread + at[0], within(row, rows),
                                  within((*tiles_)(2, at[4], start), logits_->dim(2).extent()), at[5], start};

    const Expr work = *work_;
    const Expr logits = (*logits_)(index);
    const Expr masked = masked_part(index[0]);
    const Expr decided = select_kept(index, logits, masked);
    Halide::Func out("masked_logits");
    const std::vector<Halide::Var> any(device_rank);
    out(any) = Halide::undef(logits.type());
    out(index) = select(work == static_cast<int>(tile_work::fill), masked,
                        select(work == static_cast<int>(tile_work::copy), logits, decided));
    *out_ = out;

    operands_.take_any_stride();
    const auto lay_out = [per_thread](auto* array) {
      for (int axis = 0; axis < kernel_rank; ++axis) array->dim(axis).set_min(0);
      if (per_thread == 1) {
        array->dim(0).set_stride(Expr());
      } else {
        for (int axis = 1; axis < device_rank; ++axis) {
          array->dim(axis).set_stride(array->dim(axis).stride() / per_thread * per_thread);
        }
        array->set_host_alignment(16);
      }
    };
    lay_out(logits_);
    lay_out(out_);
    schedule_for_device({out, loops, work, words});
  }

 private:
  // Without words: the whole value. With: the word of it that stands there.
  [[nodiscard]] Halide::Expr masked_part(const Halide::Expr& column) const {
    const Halide::Expr masked = *masked_;
    if (!words) return Halide::cast(Halide::UInt(8 * element_bytes), masked);
    if (element_bytes < 8) return Halide::cast<std::uint32_t>(masked);
    return select(column % 2 == 0, Halide::cast<std::uint32_t>(masked), Halide::cast<std::uint32_t>(masked >> 32));
  }

  [[nodiscard]] Halide::Expr kept(std::vector<Halide::Expr> index, const Halide::Expr& column) const {
    index[0] = column;
    return operands_.template read_keep<number>(index).value();
  }

  [[nodiscard]] Halide::Expr select_kept(const std::vector<Halide::Expr>& index, const Halide::Expr& logits,
                                         const Halide::Expr& masked) const {
    const Halide::Expr& column = index[0];
    if (!words || element_bytes == 4) return select(kept(index, column), logits, masked);
    if (element_bytes == 8) return select(kept(index, column / 2), logits, masked);
    // Two elements in a word.
    const auto half = [](const Halide::Expr& keep, std::uint32_t bits) {
      return select(keep, Halide::Expr(bits), Halide::Expr(std::uint32_t{0}));
    };
    const Halide::Expr bits = half(kept(index, column * 2), 0xffffU) | half(kept(index, column * 2 + 1), 0xffff0000U);
    return (logits & bits) | (masked & ~bits);
  }

  Halide::GeneratorInput<Halide::Buffer<void>>* logits_ = nullptr;
  operands<Layer> operands_;
  Halide::GeneratorInput<Halide::Expr>* masked_ = nullptr;
  Halide::GeneratorInput<Halide::Buffer<void>>* tiles_ = nullptr;
  Halide::GeneratorInput<Halide::Expr>* work_ = nullptr;
  Halide::GeneratorOutput<Halide::Buffer<void>>* out_ = nullptr;
};

}  // namespace axismask::generator
