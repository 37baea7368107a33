// Carries out a job by tiles: runs of tiles that are kept whole are left alone or copied, runs that are masked whole
// are filled, and only the others go through the kernel.
#include <algorithm>
#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <span>

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

std::int64_t size_along(const bound_call& call, std::size_t axis) { return axis == no_axis ? 1 : call.sizes[axis]; }

std::int64_t byte_stride(const bound_array& array, std::size_t axis) {
  return axis == no_axis ? 0 : array.strides[axis] * array.element_bytes;
}

// How many bytes any array spans over a cell, the columns, and as many rows.
std::int64_t span_of(const mask_job& job, const tile_layout& layout, std::int64_t rows) {
  std::int64_t span = 0;
  for (std::size_t array = 0; array < job.bound.array_count; ++array) {
    const bound_array& one = job.bound.arrays[array];
    std::int64_t reach = std::abs(byte_stride(one, layout.tiles.row)) * (rows - 1);
    for (const std::size_t axis : {layout.cell, layout.tiles.column}) {
      reach += std::abs(byte_stride(one, axis)) * (size_along(job.bound, axis) - 1);
    }
    span = std::max(span, reach);
  }
  return span;
}

// Is the memory of an array's columns one contiguous piece?
bool has_dense_columns(const bound_array& array, const bound_call& call, const tile_layout& layout) {
  return (layout.cell == no_axis || array.strides[layout.cell] == 1) &&
         array.strides[layout.tiles.column] == size_along(call, layout.cell);
}

// Puts every axis that is none of the tiles' in its place.
void place_other_axes(const mask_job& job, tile_layout& layout) {
  const bound_call& call = job.bound;
  std::array<std::size_t, max_rank> rest;
  std::size_t count = 0;
  for (std::size_t axis = 0; axis < call.rank; ++axis) {
    const auto planes = layout.tiles.of_planes();
    if (call.sizes[axis] == 1 || axis == layout.tiles.row || axis == layout.tiles.column ||
        std::find(planes.begin(), planes.end(), axis) != planes.end()) {
      continue;
    }
    if (call.out().strides[axis] == 1 && call.out().strides[layout.tiles.column] == call.sizes[axis]) {
      layout.cell = axis;
    } else {
      rest[count++] = axis;
    }
  }
  for (std::size_t at = 0; at < count; ++at) {
    const std::size_t axis = rest[at];
    if (layout.copies == no_axis || call.sizes[axis] > call.sizes[layout.copies]) std::swap(rest[at], layout.copies);
    if (rest[at] != no_axis) layout.others[layout.other_count++] = rest[at];
  }
}

class tile_pass {
 public:
  tile_pass(const mask_job& job, const tile_layout& layout, const tile_plan& plan, int threads, kernel_failure& failure)
      : job_(job), layout_(layout), plan_(plan), failure_(failure) {
    const bound_call& call = job.bound;
    streaming_ = call.element_count() * call.out().element_bytes > streaming_bytes();
    can_fill_ = has_dense_columns(call.out(), call, layout);
    can_copy_ = can_fill_ && has_dense_columns(call.logits(), call, layout);
    key_bytes_ = size_along(call, layout.cell) * call.out().element_bytes;
    pattern_ = job.masked;
    for (std::int64_t width = call.out().element_bytes; width < 8; width *= 2) pattern_ |= pattern_ << (8 * width);

    outer_ = plan.planes;
    for (std::size_t at = 0; at < layout.other_count; ++at) outer_ *= call.sizes[layout.others[at]];
    copies_ = size_along(call, layout.copies);
    // Units are whole rows of tiles of as many copies as fit.
    const std::int64_t row_bytes = std::max<std::int64_t>(1, plan.tile.queries * plan.keys * key_bytes_);
    copies_per_unit_ = std::clamp<std::int64_t>(unit_bytes / row_bytes, 1, copies_);
    const std::int64_t span = span_of(job, layout, plan.tile.queries);
    for (std::size_t array = 0; array < call.array_count; ++array) {
      const std::int64_t stride = std::abs(byte_stride(call.arrays[array], layout.copies));
      if (stride > 0) copies_per_unit_ = std::min(copies_per_unit_, 1 + (box_span - span) / stride);
    }
    rows_per_unit_ = std::clamp<std::int64_t>(unit_bytes / (row_bytes * copies_per_unit_), 1,
                                              std::max<std::int64_t>(1, plan.rows_per_plane));
    copy_groups_ = (copies_ + copies_per_unit_ - 1) / copies_per_unit_;
    row_groups_ = (plan.rows_per_plane + rows_per_unit_ - 1) / rows_per_unit_;
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
    for (std::int64_t unit = next_++; unit < unit_count(); unit = next_++) run(box, unit);
    if (streaming_) finish_streaming();
  }

 private:
  using offsets = std::array<std::int64_t, max_arrays>;  // in bytes, one for each array

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
    offsets start;
    std::int64_t rows;
    std::int64_t copies;
  };

  void move(offsets& at, std::size_t axis, std::int64_t steps) const {
    for (std::size_t array = 0; array < job_.bound.array_count; ++array) {
      at[array] += steps * byte_stride(job_.bound.arrays[array], axis);
    }
  }

  void run(kernel_box& box, std::int64_t unit) {
    const bound_call& call = job_.bound;
    const std::int64_t row_group = unit % row_groups_;
    unit /= row_groups_;
    const std::int64_t first_copy = unit % copy_groups_ * copies_per_unit_;
    std::int64_t rest = unit / copy_groups_;
    offsets start{};
    move(start, layout_.copies, first_copy);
    for (std::size_t at = 0; at < layout_.other_count; ++at) {
      move(start, layout_.others[at], rest % call.sizes[layout_.others[at]]);
      rest /= call.sizes[layout_.others[at]];
    }
    const std::int64_t plane = rest;
    for (std::size_t at = layout_.tiles.plane_count; at-- > 0;) {
      move(start, layout_.tiles.planes[at], rest % call.sizes[layout_.tiles.planes[at]]);
      rest /= call.sizes[layout_.tiles.planes[at]];
    }
    const std::int64_t last_row = std::min((row_group + 1) * rows_per_unit_, plan_.rows_per_plane);
    for (std::int64_t row = row_group * rows_per_unit_; row < last_row; ++row) {
      strip one{start, std::min(plan_.tile.queries, plan_.queries - row * plan_.tile.queries),
                std::min(copies_per_unit_, copies_ - first_copy)};
      move(one.start, layout_.tiles.row, row * plan_.tile.queries);
      carry_out(box, one, plan_.row(plane, row));
    }
  }

  // Lines first, in the order of memory, then the boxes of the kernel. Boxes are narrow where tiles are undecided along
  // an edge of the mask; their lines are asked for before, and arrive while others are filled.
  void carry_out(kernel_box& box, const strip& of, std::span<const tile_run> runs) {
    const bound_call& call = job_.bound;
    const bound_array& out = call.out();
    const bound_array& logits = call.logits();
    for (std::int64_t copy = 0; copy < of.copies; ++copy) {
      std::byte* to = out.data + of.start[call.array_count - 1] + copy * byte_stride(out, layout_.copies);
      const std::byte* from = logits.data + of.start[0] + copy * byte_stride(logits, layout_.copies);
      if (can_fill_) {
        for (std::int64_t row = 0; row < of.rows; ++row) {
          for (const tile_run& run : runs) prefetch(run, to + row * byte_stride(out, layout_.tiles.row));
        }
      }
      for (std::int64_t row = 0; row < of.rows; ++row) {
        for (const tile_run& run : runs) {
          carry_out(run, to + row * byte_stride(out, layout_.tiles.row),
                    from + row * byte_stride(logits, layout_.tiles.row));
        }
      }
    }
    for (const tile_run& run : runs) {
      if (needs_kernel(run)) carry_out(box, of, run);
    }
  }

  void prefetch(const tile_run& run, const std::byte* to) const {
    constexpr std::int64_t most_lines = 4;
    if (run.kept != verdict::some) return;
    const std::int64_t first = run.begin * key_bytes_ * plan_.tile.keys;
    const std::int64_t bytes = std::min(run.end * plan_.tile.keys, plan_.keys) * key_bytes_ - first;
    if (bytes > most_lines * bytes_of_tile) return;
    for (std::int64_t at = 0; at < bytes + bytes_of_tile; at += bytes_of_tile) {
      __builtin_prefetch(to + first + std::min(at, bytes - 1), 1, 2);
    }
  }

  [[nodiscard]] bool needs_kernel(const tile_run& run) const {
    if (run.kept == verdict::all) return !job_.in_place && !can_copy_;
    return run.kept == verdict::some || !can_fill_;
  }

  // One run in one line.
  void carry_out(const tile_run& run, std::byte* to, const std::byte* from) const {
    const std::int64_t first = run.begin * key_bytes_ * plan_.tile.keys;
    const std::int64_t bytes = std::min(run.end * plan_.tile.keys, plan_.keys) * key_bytes_ - first;
    if (run.kept == verdict::none && can_fill_) {
      fill(to + first, bytes, job_.bound.out().element_bytes, pattern_, streaming_);
    } else if (run.kept == verdict::all && !job_.in_place && can_copy_) {
      copy(to + first, from + first, bytes, streaming_);
    }
  }

  // One run through the kernel.
  void carry_out(kernel_box& box, const strip& of, const tile_run& run) {
    const std::int64_t first = run.begin * plan_.tile.keys;
    offsets at = of.start;
    move(at, layout_.tiles.column, first);
    std::array<std::int32_t, kernel_rank> sizes;
    sizes.fill(1);
    std::size_t axis = 0;
    if (layout_.cell != no_axis) sizes[axis++] = static_cast<std::int32_t>(job_.bound.sizes[layout_.cell]);
    sizes[axis++] = static_cast<std::int32_t>(std::min(run.end * plan_.tile.keys, plan_.keys) - first);
    if (layout_.tiles.row != no_axis) sizes[axis++] = static_cast<std::int32_t>(of.rows);
    if (layout_.copies != no_axis) sizes[axis++] = static_cast<std::int32_t>(of.copies);
    box.run(at, sizes, failure_);
  }

  const mask_job& job_;
  const tile_layout& layout_;
  const tile_plan& plan_;
  kernel_failure& failure_;
  bool streaming_ = false;
  bool can_fill_ = false;
  bool can_copy_ = false;
  std::int64_t key_bytes_ = 1;  // of a cell, where columns are dense
  std::uint64_t pattern_ = 0;
  int threads_ = 1;
  std::int64_t outer_ = 1;
  std::int64_t copies_ = 1;
  std::int64_t copies_per_unit_ = 1;
  std::int64_t rows_per_unit_ = 1;
  std::int64_t copy_groups_ = 1;
  std::int64_t row_groups_ = 1;
  std::atomic<std::int64_t> next_{0};
};

// Does some operand change along both axes?
bool share_an_operand(const bound_call& call, std::size_t a, std::size_t b) {
  const std::span<const bound_array> operands = call.operands();
  return std::any_of(operands.begin(), operands.end(),
                     [&](const bound_array& one) { return one.strides[a] != 0 && one.strides[b] != 0; });
}

}  // namespace

bool find_layout(const mask_job& job, tile_layout& layout) {
  const bound_call& call = job.bound;
  layout = {};
  std::array<std::size_t, max_rank> changing;
  std::size_t count = 0;
  for (std::size_t axis = 0; axis < call.rank; ++axis) {
    if (call.changes_along(axis)) changing[count++] = axis;
  }
  if (count == 0) return false;
  call.sort_innermost_first(std::span(changing).first(count));
  const std::size_t column = layout.tiles.column = changing[0];
  std::int64_t operand_elements = call.sizes[column];
  for (std::size_t at = 1; at < count; ++at) {
    if (layout.tiles.row == no_axis && !share_an_operand(call, changing[at], column)) layout.tiles.row = changing[at];
  }
  for (std::size_t at = count; at-- > 1;) {
    if (changing[at] == layout.tiles.row) continue;
    layout.tiles.planes[layout.tiles.plane_count++] = changing[at];
    operand_elements *= call.sizes[changing[at]];
  }
  // A mask that is given element by element takes as long to look through as it takes to apply.
  if (layout.tiles.row == no_axis) {
    constexpr std::int64_t worthwhile = 16;
    if (call.element_count() / operand_elements < worthwhile && count > 1) return false;
  }
  place_other_axes(job, layout);
  return span_of(job, layout, 1) <= box_span && (job.in_place || has_dense_columns(call.out(), call, layout));
}

bool find_layout(const mask_job& job, const tile_plan& plan, const tiled_axes& tiles, tile_layout& layout) {
  const bound_call& call = job.bound;
  layout = {};
  layout.tiles = tiles;
  place_other_axes(job, layout);
  return boxes_fit(job, layout, plan) && has_dense_columns(call.out(), call, layout);
}

tile_size best_tile(const mask_job& job, const tile_layout& layout) {
  tile_size tile;
  tile.queries = rows_of_tile;
  while (tile.queries > 1 && span_of(job, layout, tile.queries) > box_span) tile.queries /= 2;
  const std::int64_t cell = size_along(job.bound, layout.cell) * job.bound.out().element_bytes;
  tile.keys = std::clamp<std::int64_t>(bytes_of_tile / cell, 8, bytes_of_tile);
  return tile;
}

bool boxes_fit(const mask_job& job, const tile_layout& layout, const tile_plan& plan) {
  return span_of(job, layout, plan.tile.queries) <= box_span;
}

void run_tiles(const mask_job& job, const tile_layout& layout, const tile_plan& plan, const call_options& options,
               kernel_failure& failure) {
  tile_pass pass(job, layout, plan, thread_count(options), failure);
  run_on_workers(options, pass.threads(), [](void* context, int) { static_cast<tile_pass*>(context)->work(); }, &pass);
}

}  // namespace axismask
