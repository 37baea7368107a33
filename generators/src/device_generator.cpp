// The Halide generator of the kernels for devices (CUDA, OpenCL and their like): the algorithm, then the schedule.
#include <Halide.h>

#include <cstddef>
#include <cstdint>
#include <vector>

#include "kernel_modules.hpp"
#include "operands.hpp"

namespace axismask::generator {
namespace {

// What a schedule needs to know of a device kernel.
struct device_kernel {
  Halide::Func out;
  Halide::RDom loops;  // word, row of the thread, thread, row of threads, tile, copy
  Halide::Expr work;
  bool packs_words;
};

// A tile is a block. The work is the same in a whole call, so that a block decides nothing: each work is a kernel of
// its own, and those that fill and copy load no positions.
void schedule(const device_kernel& kernel) {
  Halide::Func out = kernel.out;
  // Nothing comes of the pure definition, but until Halide sees that, it counts as a use of the result by the host.
  out.gpu_single_thread();
  Halide::Stage update = out.update();
  const Halide::RDom& at = kernel.loops;
  update.allow_race_conditions().gpu_threads(at[2], at[3]).gpu_blocks(at[4], at[5]).unroll(at[1]);
  if (kernel.packs_words) update.vectorize(at[0]);
  for (const tile_work work : {tile_work::fill, tile_work::copy}) {
    update.specialize(kernel.work == static_cast<int>(work));
  }
}

// A call does the same with every tile of a list: decide, copy or fill (kernel.hpp). The runtime makes the lists from a
// plan: of what the mask tells of a whole tile nothing is computed, and what need not be touched is in no list.
//
// Tiles lie along axes 0 and 1 of a box, at one index of axis 2; each stands for all of axis 3.
//
// With `packs_words` the logits and the result are seen as words of 32 bits, contiguous along axis 0 and aligned to 16
// bytes, the widest access that a device has: Halide 21 makes such accesses of 4 aligned words only. Positions are then
// of 32 bits, with which a card decides a tile in half the time. Without, of elements, of any strides, and positions of
// 64 bits. Strides of operands are those of elements in both.
class device_generator : public Halide::Generator<device_generator> {
 public:
  Halide::GeneratorParam<int> element_bytes{"element_bytes", 4};
  Halide::GeneratorParam<bool> packs_words{"packs_words", false};

  const layer_algorithm* layer = nullptr;  // to be set before the module is built

  void configure() {
    const Halide::Type stored = Halide::UInt(packs_words ? 32 : 8 * element_bytes);
    const int rank = static_cast<int>(device_rank);
    for (const argument one : device_arguments) {
      switch (one) {
        case argument::logits:
          logits_ = add_input<Halide::Buffer<void>>("logits", stored, rank);
          break;
        case argument::operands:
          operands_.add_to(*this, *layer->type, packs_words ? 4 : 8, device_rank);
          break;
        case argument::masked_bits:
          masked_ = add_input<Halide::Expr>("masked_out_value_bits", Halide::UInt(64));
          break;
        case argument::tiles:
          tiles_ = add_input<Halide::Buffer<void>>("tiles", Halide::Int(32), 3);
          break;
        case argument::work:
          work_ = add_input<Halide::Expr>("work", Halide::Int(32));
          break;
        case argument::out:
          out_ = add_output<Halide::Buffer<void>>("masked", stored, rank);
          break;
        case argument::kept:
          break;  // a processor's
      }
    }
  }

  void generate() {
    using Halide::Expr;
    // Of the logits: an output has no extents of its own before it is assigned.
    const Expr start = 1;
    const int per_thread = packs_words ? device_tile::words_per_thread : 1;
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
    lay_out(*logits_, per_thread);
    lay_out(*out_, per_thread);
    schedule({out, loops, work, packs_words});
  }

 private:
  template <class Array>
  static void lay_out(Array& array, int words_per_thread) {
    const int axes = static_cast<int>(kernel_rank);
    for (int axis = 0; axis < axes; ++axis) array.dim(axis).set_min(0);
    if (words_per_thread == 1) {
      array.dim(0).set_stride(Halide::Expr());
      return;
    }
    for (int axis = 1; axis < axes + 1; ++axis) {
      array.dim(axis).set_stride(array.dim(axis).stride() / words_per_thread * words_per_thread);
    }
    array.set_host_alignment(16);
  }

  // Without words: the whole value. With: the word of it that stands there.
  [[nodiscard]] Halide::Expr masked_part(const Halide::Expr& column) const {
    const Halide::Expr masked = *masked_;
    if (!packs_words) return Halide::cast(Halide::UInt(8 * element_bytes), masked);
    if (element_bytes < 8) return Halide::cast<std::uint32_t>(masked);
    return select(column % 2 == 0, Halide::cast<std::uint32_t>(masked), Halide::cast<std::uint32_t>(masked >> 32));
  }

  [[nodiscard]] Halide::Expr kept(std::vector<Halide::Expr> index, const Halide::Expr& column) const {
    index[0] = column;
    const auto keep = packs_words ? layer->narrow_keep : layer->keep;
    return keep(operands_.at(index)).value();
  }

  [[nodiscard]] Halide::Expr select_kept(const std::vector<Halide::Expr>& index, const Halide::Expr& logits,
                                         const Halide::Expr& masked) const {
    const Halide::Expr& column = index[0];
    if (!packs_words || element_bytes == 4) return select(kept(index, column), logits, masked);
    if (element_bytes == 8) return select(kept(index, column / 2), logits, masked);
    // Two elements in a word.
    const auto half = [](const Halide::Expr& keep, std::uint32_t bits) {
      return select(keep, Halide::Expr(bits), Halide::Expr(std::uint32_t{0}));
    };
    const Halide::Expr bits = half(kept(index, column * 2), 0xffffU) | half(kept(index, column * 2 + 1), 0xffff0000U);
    return (logits & bits) | (masked & ~bits);
  }

  Halide::GeneratorInput<Halide::Buffer<void>>* logits_ = nullptr;
  operands operands_;
  Halide::GeneratorInput<Halide::Expr>* masked_ = nullptr;
  Halide::GeneratorInput<Halide::Buffer<void>>* tiles_ = nullptr;
  Halide::GeneratorInput<Halide::Expr>* work_ = nullptr;
  Halide::GeneratorOutput<Halide::Buffer<void>>* out_ = nullptr;
};

}  // namespace

Halide::Module build_device_kernel(const layer_algorithm& layer, const Halide::Target& target, const std::string& name,
                                   const kernel_form& form) {
  const auto generator = device_generator::create(Halide::GeneratorContext(target));
  generator->element_bytes.set(form.element_bytes);
  generator->packs_words.set(form.packs_words);
  generator->layer = &layer;
  return generator->build_module(name);
}

}  // namespace axismask::generator
