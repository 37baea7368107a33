// Writes a mask by itself: fills what is kept or masked whole, and has the kernel tell of the rest.
#include "cpu/mask_pass.hpp"

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <cstdlib>

#include "arrays/whole_parts.hpp"
#include "axismask/arrays/index_walk.hpp"
#include "cpu/fill.hpp"
#include "cpu/keep_reader.hpp"
#include "cpu/passes.hpp"
#include "cpu/workers.hpp"
#include "plan/tile_layout.hpp"

namespace axismask {
namespace {

// Rows of a tile. Fewer leave less to the kernel and take longer to plan: of 4096 x 4096 booleans with a window of 1024
// 8 rows are planned in 0.10 ms and 32 in 0.03, and the kernel has 0.06 ms of work with 8 and 0.08 with 32.
constexpr std::int64_t rows_at_once = 32;
constexpr std::int64_t keys_of_tile = 64;
constexpr std::int64_t bytes_at_once = std::int64_t{1} << 14;  // that the kernel tells: half of a first cache

class mask_pass {
 public:
  mask_pass(const mask_job& job, const mask_axes& axes, const tile_plan* plan, const mask_form& form)
      : job_(job), axes_(axes), plan_(plan), form_(form) {
    const bound_call& call = job.bound;
    rows_ = size_along(call, axes.tiles.row);
    columns_ = call.sizes[axes.tiles.column];
    tile_ = plan == nullptr ? tile_size{rows_at_once, columns_} : plan->tile;
    rows_per_plane_ = parts_of(rows_, tile_.queries);
    for (const std::size_t axis : axes.tiles.of_planes()) planes_ *= call.sizes[axis];
    std::int64_t copies = 1;
    for (const std::size_t axis : axes.of_repeats()) copies *= call.sizes[axis];
    bytes_ = planes_ * rows_ * columns_ * copies;
    bytes_ = form.element_bytes == 0 ? bytes_ / 8 : bytes_ * form.element_bytes;
    const std::int64_t rows = std::min(rows_at_once, std::max<std::int64_t>(rows_, 1));
    at_once_ = fitting_box(call, axes.tiles, {rows, std::min(columns_, bytes_at_once / rows)});
    writes_there_ = form.element_bytes == 1 && form.kept == 1 && form.masked == 0 && target_fits();
  }

  // Bits of different rows may share a byte, and then one thread writes them all.
  [[nodiscard]] int threads(int wanted) const {
    if (bytes_ < parallel_bytes || shares_bytes()) return 1;
    return static_cast<int>(std::min<std::int64_t>(wanted, planes_ * rows_per_plane_));
  }

  // One thread's share: rows of tiles, as long as there are any.
  void work(kernel_failure& failure) {
    const bound_array& out = job_.bound.out();
    alignas(64) std::array<std::uint8_t, bytes_at_once> bytes;
    const bound_array kept = writes_there_ ? out : bytes_in_rows(axes_.tiles, bytes.data(), at_once_.columns);
    keep_reader reader(job_, axes_.tiles, kept);
    const bool streaming = form_.element_bytes != 0 && bytes_ > streaming_bytes() / 4;
    const mask_lines lines(form_, out.data, out.byte_stride(axes_.tiles.column), streaming);
    const thread_tools tools{reader, lines, bytes.data(), failure};
    for (std::int64_t unit = next_++; unit < planes_ * rows_per_plane_; unit = next_++) write_unit(tools, unit);
    if (streaming) finish_streaming();
  }

 private:
  struct thread_tools {
    keep_reader& reader;
    const mask_lines& lines;
    const std::uint8_t* bytes;
    kernel_failure& failure;
  };

  // Some rows of one row of tiles.
  struct strip {
    array_offsets start;  // that of the result last
    std::int64_t rows;
  };

  [[nodiscard]] std::int64_t target(const array_offsets& at) const { return at[job_.bound.array_count - 1]; }

  // Can the kernel write a box of the result?
  [[nodiscard]] bool target_fits() const {
    const bound_array& out = job_.bound.out();
    return (at_once_.columns - 1) * std::abs(out.byte_stride(axes_.tiles.column)) <= box_span / 2 &&
           (at_once_.rows - 1) * std::abs(out.byte_stride(axes_.tiles.row)) <= box_span / 2;
  }

  [[nodiscard]] bool shares_bytes() const {
    if (form_.element_bytes != 0) return false;
    const bound_call& call = job_.bound;
    for (std::size_t axis = 0; axis < call.rank; ++axis) {
      if (axis != axes_.tiles.column && call.sizes[axis] > 1 && call.out().strides[axis] % 8 != 0) return true;
    }
    return false;
  }

  // Units are numbered by plane and row of tiles; the last counts fastest.
  void write_unit(const thread_tools& tools, std::int64_t unit) {
    const std::int64_t row = unit % rows_per_plane_;
    const std::int64_t plane = unit / rows_per_plane_;
    array_offsets start{};
    job_.bound.move_to(start, axes_.tiles.of_planes(), plane);
    job_.bound.move(start, axes_.tiles.row, row * tile_.queries);
    const std::int64_t rows = std::min(tile_.queries, rows_ - row * tile_.queries);
    const tile_run everything{0, 1, verdict::some};
    const std::span<const tile_run> runs = plan_ == nullptr ? std::span(&everything, 1) : plan_->row(plane, row);
    for (std::int64_t first = 0; first < rows; first += at_once_.rows) {
      strip part{start, std::min(at_once_.rows, rows - first)};
      job_.bound.move(part.start, axes_.tiles.row, first);
      for (const tile_run& run : runs) write_run(tools, part, run);
    }
  }

  void write_run(const thread_tools& tools, const strip& part, const tile_run& run) {
    const std::int64_t begin = run.begin * tile_.keys;
    const std::int64_t end = std::min(run.end * tile_.keys, columns_);
    if (run.kept == verdict::some) {
      for (std::int64_t at = begin; at < end; at += at_once_.columns) {
        tell(tools, part, at, std::min(at_once_.columns, end - at));
      }
      return;
    }
    const std::int64_t at = begin * job_.bound.out().byte_stride(axes_.tiles.column);
    for_each_line(part, [&](std::int64_t line, std::int64_t) {
      tools.lines.fill(line + at, end - begin, run.kept == verdict::all);
    });
  }

  // Has the kernel tell of some columns of a strip.
  void tell(const thread_tools& tools, const strip& part, std::int64_t begin, std::int64_t columns) {
    array_offsets start = part.start;
    job_.bound.move(start, axes_.tiles.column, begin);
    if (writes_there_) {
      for_each_copy([&](std::int64_t copy) {
        start[0] = target(start) + copy;
        tools.reader.read(start, {part.rows, columns}, tools.failure);
      });
      return;
    }
    start[0] = 0;
    tools.reader.read(start, {part.rows, columns}, tools.failure);
    for_each_line({start, part.rows}, [&](std::int64_t line, std::int64_t row) {
      tools.lines.put(line, columns, tools.bytes + row * at_once_.columns);
    });
  }

  // Where a strip's lines start in the result, in each copy of it: visit(place, row).
  template <class Visit>
  void for_each_line(const strip& part, Visit visit) const {
    const std::int64_t stride = job_.bound.out().byte_stride(axes_.tiles.row);
    for_each_copy([&](std::int64_t copy) {
      for (std::int64_t row = 0; row < part.rows; ++row) visit(target(part.start) + copy + row * stride, row);
    });
  }

  template <class Visit>
  void for_each_copy(Visit visit) const {
    if (axes_.repeat_count == 0) return visit(0);
    index_walk<1> copies;
    for (const std::size_t axis : axes_.of_repeats()) {
      copies.add_axis(job_.bound.sizes[axis], [&](std::size_t) { return job_.bound.out().byte_stride(axis); });
    }
    copies.for_each([&] { visit(copies.offset(0)); });
  }

  const mask_job& job_;
  const mask_axes& axes_;
  const tile_plan* plan_;
  const mask_form form_;
  tile_size tile_;
  mask_box at_once_;
  bool writes_there_ = false;  // the kernel's bytes are the result's
  std::int64_t rows_ = 1;
  std::int64_t columns_ = 1;
  std::int64_t rows_per_plane_ = 1;
  std::int64_t planes_ = 1;
  std::int64_t bytes_ = 0;
  std::atomic<std::int64_t> next_{0};
};

// The axes along which nothing changes.
void take_repeats(const bound_call& call, mask_axes& axes) {
  for (std::size_t axis = 0; axis < call.rank; ++axis) {
    const auto planes = axes.tiles.of_planes();
    if (call.sizes[axis] == 1 || axis == axes.tiles.row || axis == axes.tiles.column ||
        std::find(planes.begin(), planes.end(), axis) != planes.end()) {
      continue;
    }
    axes.repeats[axes.repeat_count++] = axis;
  }
}

}  // namespace

mask_axes find_mask_axes(const bound_call& call) {
  mask_axes axes;
  std::array<std::size_t, max_rank> order;
  std::size_t count = 0;
  for (std::size_t axis = 0; axis < call.rank; ++axis) {
    if (call.changes_along(axis)) order[count++] = axis;
  }
  if (count == 0) {  // nothing changes: any line will do
    for (std::size_t axis = 0; axis < call.rank; ++axis) order[axis] = axis;
    call.sort_innermost_first(std::span(order).first(call.rank));
    axes.tiles.column = order[0];
    axes.can_be_planned = false;
    take_repeats(call, axes);
    return axes;
  }
  call.sort_innermost_first(std::span(order).first(count));
  axes.tiles.column = order[0];
  for (std::size_t at = 1; at < count && axes.tiles.row == no_axis; ++at) {
    if (!share_an_operand(call, order[at], order[0])) axes.tiles.row = order[at];
  }
  if (axes.tiles.row == no_axis && count > 1) {
    axes.tiles.row = order[1];
    axes.can_be_planned = false;
  }
  for (std::size_t at = count; at-- > 1;) {
    if (order[at] != axes.tiles.row) axes.tiles.planes[axes.tiles.plane_count++] = order[at];
  }
  take_repeats(call, axes);
  return axes;
}

mask_axes mask_axes_of_plan(const bound_call& call, const tile_plan& plan, std::span<const named_axis> axes) {
  mask_axes result;
  result.tiles.row = index_of_axis(axes, plan.query_axis);
  result.tiles.column = index_of_axis(axes, plan.kv_axis);
  for (const std::string& name : plan.plane_axes) {
    result.tiles.planes[result.tiles.plane_count++] = index_of_axis(axes, name);
  }
  take_repeats(call, result);
  return result;
}

tile_size best_mask_tile() { return {rows_at_once, keys_of_tile}; }

void write_mask_tiles(const mask_job& job, const mask_axes& axes, const tile_plan* plan, const mask_form& form,
                      const call_options& options, kernel_failure& failure) {
  mask_pass pass(job, axes, plan, form);
  struct shared {
    mask_pass& pass;
    kernel_failure& failure;
  } both{pass, failure};
  run_on_workers(
      options, pass.threads(thread_count(options)),
      [](void* context, int) {
        auto* all = static_cast<shared*>(context);
        all->pass.work(all->failure);
      },
      &both);
}

}  // namespace axismask
