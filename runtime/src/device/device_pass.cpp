// Carries out a job on a device: sends what the device does not have, lists the tiles, and calls kernels on the lists.
#include "device/device_pass.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>

#include "arrays/element_types.hpp"
#include "axismask/arrays/index_walk.hpp"
#include "axismask/kernel/kernel.hpp"
#include "axismask/messages/error.hpp"
#include "axismask/readings/magnitude.hpp"
#include "device/host_copies.hpp"

namespace axismask {
namespace {

constexpr std::int64_t word_bytes = 4;

// The axis at whose index 1 an array starts, so many elements behind the start of a section.
halide_dimension_t start_axis(std::int64_t elements) { return {0, 2, static_cast<std::int32_t>(elements)}; }

class device_pass {
 public:
  device_pass(mask_job& job, const layer_type& type, const device_target& target, const host_space& host)
      : job_(job),
        type_(type),
        kernels_(target.kernels),
        on_(target.on),
        space_(target.space),
        host_(host),
        host_call_(job.bound) {}

  // Brings the logits and the result to the device; the operands follow with the kernel (use_kernel). From then on an
  // array's `data` and strides are those there, which for arrays of the host are those of a dense copy.
  void send_logits() {
    send_arrays(0, 1);
    send_arrays(job_.bound.array_count - 1, job_.bound.array_count);
    // What is written there is no longer what was sent.
    if (job_.in_place) space_.arrays[0].forget();
  }

  // By the caller's plan, or one that is made here, or else by all tiles.
  void list_tiles(const tiling_choice& given) {
    fits_32_bits_ =
        (given.plan != nullptr ? given.plan->largest : largest_number(type_, job_.bound)) <= narrow_magnitude;
    if (given.plan != nullptr && takes(given.layout) && can_be_cut(*given.plan, tile_)) {
      space_.tiles.list_plan(job_, given, tile_);
      return;
    }
    tiling_choice own;
    if (host_sees_operands() && find_layout(job_, own.layout) && takes(own.layout)) {
      host_.planner.find(type_, job_.bound, own.layout.tiles, tile_, host_.own_plan);
      own.plan = &host_.own_plan;
      space_.tiles.list_plan(job_, own, tile_);
      return;
    }
    fold_axes(job_.bound);
    choose_kernel(job_.bound.rank > 0 ? 0 : no_axis);
    // Boxes narrower than a tile may start between words.
    const box_axes axes = box_axes_of_folded(job_.bound);
    const std::int64_t columns = find_box_sizes(job_.bound, axes, tile_)[0];
    if (columns < size_along(job_.bound, axes.spanned[0]) && columns % tile_.keys != 0) use_kernel(false);
    space_.tiles.list_everything(job_, tile_);
  }

  void run() {
    const std::span<const std::int32_t> tiles = space_.tiles.numbers();
    if (tiles.empty()) return;
    space_.tile_memory.upload(on_, reinterpret_cast<const std::byte*>(tiles.data()),
                              static_cast<std::int64_t>(tiles.size_bytes()));
    const bound_call& call = job_.bound;
    const box_axes& axes = space_.tiles.axes();
    index_walk<max_arrays> others(call.array_count);
    for (const std::size_t axis : axes.of_others()) {
      others.add_axis(call.sizes[axis], [&](std::size_t array) { return call.arrays[array].byte_stride(axis); });
    }
    for (const device_step& step : space_.tiles.steps()) {
      array_offsets start{};
      call.move_to(start, axes.of_outer_planes(), step.outer_plane);
      for (std::size_t at = 0; at < kernel_rank; ++at) call.move(start, axes.spanned[at], step.at[at]);
      others.for_each([&] {
        array_offsets box = start;
        for (std::size_t array = 0; array < call.array_count; ++array) box[array] += others.offset(array);
        run_step(step, box);
      });
    }
  }

  // Brings the result to the host, if that is where it is wanted.
  void fetch_result() {
    const bound_array& out = host_call_.out();
    if (out.on_device) {
      if (on_.call.cuda_stream == nullptr) wait_for(on_);
      return;
    }
    const std::size_t index = host_call_.array_count - 1;
    const extent extent = extent_of(out, host_call_);
    if (extent.is_dense) {
      copy_to_host(on_, *memory_[index], out.data, extent.bytes);
      return;
    }
    std::vector<std::byte>& dense = space_.dense[index];
    dense.resize(static_cast<std::size_t>(extent.bytes));
    copy_to_host(on_, *memory_[index], dense.data(), extent.bytes);
    scatter(dense.data(), out, host_call_);
  }

 private:
  void send_arrays(std::size_t begin, std::size_t end) {
    for (std::size_t index = begin; index < end; ++index) {
      bound_array& array = job_.bound.arrays[index];
      if (array.on_device) {
        memory_[index] = &wrapped_[index].emplace(on_, array.data).buffer();
        base_[index] = array.data;
        check_starts_within(array, index);
      } else if (is_out(index) && job_.in_place) {
        array.data = job_.bound.arrays[0].data;
        array.strides = job_.bound.arrays[0].strides;
        memory_[index] = memory_[0];
        base_[index] = base_[0];
      } else {
        send(array, index);
      }
    }
  }

  [[nodiscard]] bool is_out(std::size_t index) const { return index + 1 == job_.bound.array_count; }

  // An array of the host.
  void send(bound_array& array, std::size_t index) {
    const extent extent = extent_of(array, job_.bound);
    if (!extent.is_dense) {
      std::vector<std::byte>& dense = space_.dense[index];
      dense.resize(static_cast<std::size_t>(extent.bytes));
      if (!is_out(index)) gather(array, job_.bound, dense.data());
      make_dense(array, job_.bound, dense.data());
    }
    if (is_out(index)) {
      space_.arrays[index].reserve(on_, extent.bytes);
    } else {
      space_.arrays[index].upload(on_, array.data, extent.bytes);
    }
    memory_[index] = &space_.arrays[index].buffer();
    base_[index] = array.data;
  }

  // An array whose memory cannot be pointed into starts at its first byte, and so reaches nothing before it.
  void check_starts_within(const bound_array& array, std::size_t index) const {
    if (on_.has_pointers) return;
    for (std::size_t axis = 0; axis < job_.bound.rank; ++axis) {
      if (array.strides[axis] < 0 && job_.bound.sizes[axis] > 1) {
        throw error("device-memory",
                    index == 0      ? "logits"
                    : is_out(index) ? "out"
                                    : "side input",
                    "it has a negative stride, so that it reaches before the start of its memory in the device",
                    "give an array that starts with its lowest address");
      }
    }
  }

  // Tiles are found by looking at the operands; a mask may be where only the device sees it.
  [[nodiscard]] bool host_sees_operands() const {
    const std::span<const bound_array> operands = job_.bound.operands();
    return std::none_of(operands.begin(), operands.end(), [](const bound_array& operand) { return operand.on_device; });
  }

  // Takes the kernel for a layout if tiles serve in it: where the innermost axis is one along which the mask changes,
  // and boxes have entire tiles.
  bool takes(const tile_layout& layout) {
    if (layout.cell != no_axis) return false;
    choose_kernel(layout.tiles.column);
    const box_sizes size = find_box_sizes(job_.bound, box_axes_of(layout), tile_);
    return (size[0] == size_along(job_.bound, layout.tiles.column) || size[0] % tile_.keys == 0) &&
           (size[1] == size_along(job_.bound, layout.tiles.row) || size[1] % tile_.queries == 0);
  }

  void choose_kernel(std::size_t column) { use_kernel(column != no_axis && can_see_words(column)); }

  // The kernel tells the size of tiles, and the width of numbers.
  void use_kernel(bool words) {
    words = words && fits_32_bits_;
    const int width = words ? 4 : 8;
    if (width != sent_width_) {
      set_width(job_.bound, width, host_.converted);
      send_arrays(1, job_.bound.array_count - 1);
      sent_width_ = width;
    }
    take_kernel(job_, type_, kernels_, {operation::mask, width, words});
    tile_.queries = device_tile::rows;
    tile_.keys = device_tile::threads_along_row *
                 (words ? device_tile::words_per_thread * word_bytes / job_.bound.out().element_bytes : 1);
  }

  // Are the logits and the result, along the column, words of which 4 at a time are aligned?
  [[nodiscard]] bool can_see_words(std::size_t column) const {
    const bound_call& call = job_.bound;
    constexpr std::int64_t access = device_tile::words_per_thread * word_bytes;
    for (const std::size_t index : {std::size_t{0}, call.array_count - 1}) {
      const bound_array& array = call.arrays[index];
      if (call.sizes[column] > 1 && array.strides[column] != 1) return false;
      if (call.sizes[column] * array.element_bytes % access != 0) return false;
      const bool counts_from_0 = !array.on_device || !on_.has_pointers;
      if (!counts_from_0 && reinterpret_cast<std::uintptr_t>(array.data) % access != 0) return false;
      for (std::size_t axis = 0; axis < call.rank; ++axis) {
        if (axis != column && call.sizes[axis] > 1 && array.byte_stride(axis) % access != 0) return false;
      }
    }
    return true;
  }

  // An array as a kernel takes it: its axes, and where it starts.
  struct seen_array {
    std::optional<memory_section> section;
    std::array<halide_dimension_t, kernel_rank + 1> axes;
    halide_buffer_t buffer;
  };

  void see(seen_array& seen, std::size_t index, const device_step& step, std::int64_t offset) {
    const bound_array& array = job_.bound.arrays[index];
    const bool words = job_.kernel->packs_words && (index == 0 || is_out(index));
    const std::int64_t unit = words ? word_bytes : array.element_bytes;
    std::int64_t lowest = offset;
    for (std::size_t at = 0; at < kernel_rank; ++at) {
      const std::int64_t stride = step.size[at] > 1 ? array.byte_stride(space_.tiles.axes().spanned[at]) : 0;
      const std::int64_t size = words && at == 0 ? step.size[0] * array.element_bytes / unit : step.size[at];
      seen.axes[at] = halide_dimension_t(0, static_cast<std::int32_t>(size),
                                         static_cast<std::int32_t>(words && at == 0 ? 1 : stride / unit));
      lowest += std::min<std::int64_t>(0, stride * (step.size[at] - 1));
    }
    const std::int64_t section = lowest >> memory_section::bits;
    const std::int64_t rest = offset - (section << memory_section::bits);
    seen.axes[kernel_rank] = start_axis(rest / unit);
    seen.section.emplace(on_, *memory_[index], section);
    const halide_type_t type = words ? halide_type_t(halide_type_uint, 32, 1) : kernel_element_type(array.type);
    seen.buffer = seen.section->seen_as(type, seen.axes);
  }

  void run_step(const device_step& step, const array_offsets& at) {
    const bound_call& call = job_.bound;
    std::array<seen_array, max_arrays> seen;
    for (std::size_t index = 0; index < call.array_count; ++index) {
      see(seen[index], index, step, at[index] + (call.arrays[index].data - base_[index]));
    }
    constexpr auto number_bytes = static_cast<std::int64_t>(sizeof(std::int32_t));
    const std::int64_t begin = step.tiles_begin * tile_list::numbers_per_tile * number_bytes;
    const std::int64_t in_section = begin % memory_section::bytes;
    const memory_section section(on_, space_.tile_memory.buffer(), begin / memory_section::bytes);
    std::array<halide_dimension_t, 3> axes{
        halide_dimension_t(0, tile_list::numbers_per_tile, 1),
        halide_dimension_t(0, static_cast<std::int32_t>(step.tiles_end - step.tiles_begin),
                           tile_list::numbers_per_tile),
        start_axis(in_section / number_bytes)};
    halide_buffer_t tiles = section.seen_as(halide_type_t(halide_type_int, 32, 1), axes);
    std::uint64_t masked = job_.masked_pattern();
    auto work = static_cast<std::int32_t>(step.work);

    void* context = &on_.call;
    std::array<void*, max_arrays + 4> arguments{static_cast<void*>(&context)};
    std::size_t count = 1;
    const std::size_t out = call.array_count - 1;
    for (const argument one : device_arguments) {
      switch (one) {
        case argument::logits:
          arguments[count++] = &seen[0].buffer;
          break;
        case argument::operands:
          for (std::size_t index = 1; index < out; ++index) arguments[count++] = &seen[index].buffer;
          break;
        case argument::masked_bits:
          arguments[count++] = &masked;
          break;
        case argument::tiles:
          arguments[count++] = &tiles;
          break;
        case argument::work:
          arguments[count++] = &work;
          break;
        case argument::out:
          arguments[count++] = &seen[out].buffer;
          break;
        case argument::kept:
          break;  // a processor's
      }
    }
    check_device(on_, "its kernel", on_.call.run([&] { return job_.kernel->run(arguments.data()); }));
  }

  mask_job& job_;
  const layer_type& type_;
  std::span<const kernel> kernels_;
  device& on_;
  device_workspace& space_;
  const host_space& host_;
  const bound_call host_call_;  // as the host has it: sizes of the axes that strides are for, and the result there
  bool fits_32_bits_ = false;
  int sent_width_ = 0;  // of the operands that were sent; 0: none were
  tile_size tile_;
  std::array<const halide_buffer_t*, max_arrays> memory_{};
  std::array<const std::byte*, max_arrays> base_{};  // the `data` that stands for the start of the memory
  std::array<std::optional<wrapped_memory>, max_arrays> wrapped_;
};

}  // namespace

void run_on_device(mask_job& job, const layer_type& type, const device_target& target, const tiling_choice& given,
                   const host_space& host) {
  device_pass pass(job, type, target, host);
  pass.send_logits();
  pass.list_tiles(given);
  pass.run();
  pass.fetch_result();
}

}  // namespace axismask
