// Carries out a job by tiles: runs of tiles of which all is kept are left alone or copied, runs of which nothing is
// kept are filled, and only the others go through the kernel.
#include <algorithm>
#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <span>

#include "arrays/whole_parts.hpp"
#include "cpu/fill.hpp"
#include "cpu/passes.hpp"
#include "cpu/workers.hpp"

namespace axismask {
namespace {

constexpr std::int64_t rows_of_tile = 8;
constexpr std::int64_t bytes_of_tile = 64;  // along its columns: a cache line
// Of logits, in what a thread takes at once: small, so that lines that are asked for early are still there when the
// kernel comes to them (with 1 MiB, bfloat16 took 1.2 times as long), and so that threads stay balanced.
constexpr std::int64_t unit_bytes = std::int64_t{1} << 17;

class tile_pass {
 public:
  tile_pass(const mask_job& job, const tiling_choice& tiling, int threads, kernel_failure& failure)
      : job_(job), layout_(tiling.layout), plan_(*tiling.plan), failure_(failure), pattern_(job.masked_pattern()) {
    const bound_call& call = job.bound;
    streaming_ = call.element_count() * call.out().element_bytes > streaming_bytes();
    can_fill_ = has_dense_columns(call.out(), call, layout_);
    can_copy_ = can_fill_ && has_dense_columns(call.logits(), call, layout_);
    key_bytes_ = size_along(call, layout_.cell) * call.out().element_bytes;
    outer_ = plan_.planes;
    for (const std::size_t axis : layout_.other_axes()) outer_ *= call.sizes[axis];
    copies_ = size_along(call, layout_.copies);
    cut_into_units();
    threads_ = touched_bytes() < parallel_bytes ? 1 : static_cast<int>(std::min<std::int64_t>(threads, unit_count()));
  }

  [[nodiscard]] std::int64_t unit_count() const { return outer_ * copy_groups_ * row_groups_; }
  [[nodiscard]] int threads() const { return threads_; }

  // One thread's share: units, as long as there are any.
  void work() {
    std::array<std::size_t, kernel_rank> axes;
    std::size_t count = 0;
    for (const std::size_t axis : {layout_.cell, layout_.tiles.column, layout_.tiles.row, layout_.copies}) {
      if (axis != no_axis) axes[count++] = axis;
    }
    kernel_box box(job_, std::span(axes).first(count));
    for (std::int64_t unit = next_++; unit < unit_count(); unit = next_++) run_unit(box, unit);
    if (streaming_) finish_streaming();
  }

 private:
  // Units are entire rows of tiles of as many copies as fit.
  void cut_into_units() {
    const bound_call& call = job_.bound;
    const std::int64_t row_bytes = std::max<std::int64_t>(1, plan_.tile.queries * plan_.keys * key_bytes_);
    copies_per_unit_ = std::clamp<std::int64_t>(unit_bytes / row_bytes, 1, copies_);
    const std::int64_t span = span_of(job_, layout_, plan_.tile.queries);
    for (std::size_t array = 0; array < call.array_count; ++array) {
      const std::int64_t stride = std::abs(call.arrays[array].byte_stride(layout_.copies));
      if (stride > 0) copies_per_unit_ = std::min(copies_per_unit_, 1 + (box_span - span) / stride);
    }
    rows_per_unit_ = std::clamp<std::int64_t>(unit_bytes / (row_bytes * copies_per_unit_), 1,
                                              std::max<std::int64_t>(1, plan_.rows_per_plane));
    copy_groups_ = parts_of(copies_, copies_per_unit_);
    row_groups_ = parts_of(plan_.rows_per_plane, rows_per_unit_);
  }

  // Of all the result, nearly: what is left alone does not count.
  [[nodiscard]] std::int64_t touched_bytes() const {
    std::int64_t tiles = 0;
    for (const tile_run& run : plan_.runs) {
      if (run.kept != verdict::all || !job_.in_place) tiles += run.end - run.begin;
    }
    return tiles * plan_.tile.queries * plan_.tile.keys * key_bytes_ * (outer_ / plan_.planes) * copies_;
  }

  // Part of one row of tiles, in some copies.
  struct strip {
    array_offsets start;
    std::int64_t rows;
    std::int64_t copies;
  };

  // Units are numbered by plane, index of the other axes, group of copies and group of rows; the last counts fastest.
  void run_unit(kernel_box& box, std::int64_t unit) {
    const std::int64_t row_group = unit % row_groups_;
    const std::int64_t copies_begin = unit / row_groups_ % copy_groups_ * copies_per_unit_;
    const std::int64_t outer = unit / row_groups_ / copy_groups_;
    array_offsets start{};
    job_.bound.move(start, layout_.copies, copies_begin);
    const std::int64_t plane = job_.bound.move_to(start, layout_.other_axes(), outer);
    job_.bound.move_to(start, layout_.tiles.of_planes(), plane);
    const std::int64_t rows_end = std::min((row_group + 1) * rows_per_unit_, plan_.rows_per_plane);
    for (std::int64_t row = row_group * rows_per_unit_; row < rows_end; ++row) {
      strip of_row{start, std::min(plan_.tile.queries, plan_.queries - row * plan_.tile.queries),
                   std::min(copies_per_unit_, copies_ - copies_begin)};
      job_.bound.move(of_row.start, layout_.tiles.row, row * plan_.tile.queries);
      run_strip(box, of_row, plan_.row(plane, row));
    }
  }

  // Lines first, in the order of memory, then the boxes of the kernel. Boxes are narrow where tiles are undecided along
  // an edge of the mask; their lines are asked for before, and arrive while others are filled.
  void run_strip(kernel_box& box, const strip& strip, std::span<const tile_run> runs) {
    const bound_call& call = job_.bound;
    const bound_array& out = call.out();
    const bound_array& logits = call.logits();
    for (std::int64_t copy = 0; copy < strip.copies; ++copy) {
      std::byte* to = out.data + strip.start[call.array_count - 1] + copy * out.byte_stride(layout_.copies);
      const std::byte* from = logits.data + strip.start[0] + copy * logits.byte_stride(layout_.copies);
      if (can_fill_) {
        for (std::int64_t row = 0; row < strip.rows; ++row) {
          for (const tile_run& run : runs) prefetch(run, to + row * out.byte_stride(layout_.tiles.row));
        }
      }
      for (std::int64_t row = 0; row < strip.rows; ++row) {
        for (const tile_run& run : runs) {
          write_line(run, to + row * out.byte_stride(layout_.tiles.row),
                     from + row * logits.byte_stride(layout_.tiles.row));
        }
      }
    }
    for (const tile_run& run : runs) {
      if (needs_kernel(run)) run_kernel(box, strip, run);
    }
  }

  // The bytes of a run in a line.
  struct byte_range {
    std::int64_t begin;
    std::int64_t end;
  };
  [[nodiscard]] byte_range bytes_of(const tile_run& run) const {
    return {run.begin * key_bytes_ * plan_.tile.keys, std::min(run.end * plan_.tile.keys, plan_.keys) * key_bytes_};
  }

  void prefetch(const tile_run& run, const std::byte* line) const {
    constexpr std::int64_t most_lines = 4;
    if (run.kept != verdict::some) return;
    const auto [begin, end] = bytes_of(run);
    if (end - begin > most_lines * bytes_of_tile) return;
    for (std::int64_t at = begin; at < end + bytes_of_tile; at += bytes_of_tile) {
      __builtin_prefetch(line + std::min(at, end - 1), 1, 2);
    }
  }

  [[nodiscard]] bool needs_kernel(const tile_run& run) const {
    if (run.kept == verdict::all) return !job_.in_place && !can_copy_;
    return run.kept == verdict::some || !can_fill_;
  }

  // What of a run needs no kernel, in one line.
  void write_line(const tile_run& run, std::byte* to, const std::byte* from) const {
    const auto [begin, end] = bytes_of(run);
    if (run.kept == verdict::none && can_fill_) {
      fill(to + begin, end - begin, job_.bound.out().element_bytes, pattern_, streaming_);
    } else if (run.kept == verdict::all && !job_.in_place && can_copy_) {
      copy(to + begin, from + begin, end - begin, streaming_);
    }
  }

  void run_kernel(kernel_box& box, const strip& strip, const tile_run& run) {
    const std::int64_t keys_begin = run.begin * plan_.tile.keys;
    array_offsets at = strip.start;
    job_.bound.move(at, layout_.tiles.column, keys_begin);
    std::array<std::int32_t, kernel_rank> sizes;
    sizes.fill(1);
    std::size_t axis = 0;
    if (layout_.cell != no_axis) sizes[axis++] = static_cast<std::int32_t>(job_.bound.sizes[layout_.cell]);
    sizes[axis++] = static_cast<std::int32_t>(std::min(run.end * plan_.tile.keys, plan_.keys) - keys_begin);
    if (layout_.tiles.row != no_axis) sizes[axis++] = static_cast<std::int32_t>(strip.rows);
    if (layout_.copies != no_axis) sizes[axis++] = static_cast<std::int32_t>(strip.copies);
    box.run(at, sizes, failure_);
  }

  const mask_job& job_;
  const tile_layout& layout_;
  const tile_plan& plan_;
  kernel_failure& failure_;
  const std::uint64_t pattern_;
  bool streaming_ = false;
  bool can_fill_ = false;
  bool can_copy_ = false;
  std::int64_t key_bytes_ = 1;  // of a cell, where columns are dense
  int threads_ = 1;
  std::int64_t outer_ = 1;
  std::int64_t copies_ = 1;
  std::int64_t copies_per_unit_ = 1;
  std::int64_t rows_per_unit_ = 1;
  std::int64_t copy_groups_ = 1;
  std::int64_t row_groups_ = 1;
  std::atomic<std::int64_t> next_{0};
};

}  // namespace

tile_size best_tile(const mask_job& job, const tile_layout& layout) {
  tile_size tile;
  tile.queries = rows_of_tile;
  while (tile.queries > 1 && span_of(job, layout, tile.queries) > box_span) tile.queries /= 2;
  const std::int64_t cell = size_along(job.bound, layout.cell) * job.bound.out().element_bytes;
  tile.keys = std::clamp<std::int64_t>(bytes_of_tile / cell, 8, bytes_of_tile);
  return tile;
}

void run_tiles(const mask_job& job, const tiling_choice& tiling, const call_options& options, kernel_failure& failure) {
  tile_pass pass(job, tiling, thread_count(options), failure);
  run_on_workers(options, pass.threads(), [](void* context, int) { static_cast<tile_pass*>(context)->work(); }, &pass);
}

}  // namespace axismask
