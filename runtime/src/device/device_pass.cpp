// Carries out a job on a device: sends what the device does not have, lists the tiles, and calls kernels on the lists.
#include "device/device_pass.hpp"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <optional>
#include <string>

#include "axismask/kernel/kernel.hpp"
#include "axismask/messages/error.hpp"

namespace axismask {
namespace {

constexpr std::int64_t most_copies = 65535;  // blocks along the second axis of a grid, on every device

std::int64_t over(std::int64_t count, std::int64_t size) { return (count + size - 1) / size; }

// Copies between an array with gaps and a dense one in the order of its axes, `dense` first to last. An axis along
// which the array repeats has one element.
enum class direction { gather, scatter };
void copy_elements(const bound_array& array, const bound_call& call, std::byte* dense, direction which) {
  std::array<std::size_t, max_rank> axes;
  std::size_t rank = 0;
  std::int64_t count = 1;
  for (std::size_t axis = 0; axis < call.rank; ++axis) {
    if (call.sizes[axis] == 1 || array.strides[axis] == 0) continue;
    axes[rank++] = axis;
    count *= call.sizes[axis];
  }
  const std::int64_t line = rank > 0 ? call.sizes[axes[rank - 1]] : 1;
  const std::int64_t step = rank > 0 ? array.strides[axes[rank - 1]] * array.element_bytes : 0;
  const auto bytes = static_cast<std::size_t>(array.element_bytes);
  for (std::int64_t first = 0; first < count; first += line) {
    std::byte* at = array.data;
    std::int64_t rest = first / line;
    for (std::size_t place = rank > 0 ? rank - 1 : 0; place-- > 0;) {
      at += rest % call.sizes[axes[place]] * array.strides[axes[place]] * array.element_bytes;
      rest /= call.sizes[axes[place]];
    }
    for (std::int64_t index = 0; index < line; ++index, at += step, dense += bytes) {
      which == direction::gather ? std::memcpy(dense, at, bytes) : std::memcpy(at, dense, bytes);
    }
  }
}

// How many bytes the elements of an array are, and whether they lie together from its first on.
struct extent {
  std::int64_t bytes;
  bool is_dense;
};
extent extent_of(const bound_array& array, const bound_call& call) {
  std::array<std::size_t, max_rank> axes;
  std::size_t rank = 0;
  for (std::size_t axis = 0; axis < call.rank; ++axis) {
    if (call.sizes[axis] != 1 && array.strides[axis] != 0) axes[rank++] = axis;
  }
  std::sort(axes.begin(), axes.begin() + static_cast<std::ptrdiff_t>(rank),
            [&](std::size_t a, std::size_t b) { return array.strides[a] < array.strides[b]; });
  extent result{1, true};
  for (std::size_t place = 0; place < rank; ++place) {
    result.is_dense = result.is_dense && array.strides[axes[place]] == result.bytes;
    result.bytes *= call.sizes[axes[place]];
  }
  result.bytes *= array.element_bytes;
  return result;
}

// Gives an array the strides of a dense copy in the order of its axes, which is at `data`.
void make_dense(bound_array& array, const bound_call& call, std::byte* data) {
  std::int64_t count = 1;
  for (std::size_t axis = call.rank; axis-- > 0;) {
    if (call.sizes[axis] == 1 || array.strides[axis] == 0) continue;
    array.strides[axis] = count;
    count *= call.sizes[axis];
  }
  array.data = data;
}

class device_pass {
 public:
  device_pass(mask_job& job, std::span<const kernel> kernels, device& on, device_workspace& space)
      : job_(job), kernels_(kernels), on_(on), space_(space) {}

  // Brings every array to the device. From then on its `data` and strides are those there, which for arrays of the host
  // are those of a dense copy.
  void place_arrays() {
    bound_call& call = job_.bound;
    host_out_ = call.out();
    for (std::size_t index = 0; index < call.array_count; ++index) {
      bound_array& array = call.arrays[index];
      const bool is_out = index + 1 == call.array_count;
      if (array.on_device) {
        memory_[index] = &wrapped_[index].emplace(on_, array.data).whole();
        base_[index] = array.data;
        check_starts_within(array, index);
        continue;
      }
      if (is_out && job_.in_place) {
        array.data = call.arrays[0].data;
        array.strides = call.arrays[0].strides;
        memory_[index] = memory_[0];
        base_[index] = base_[0];
        continue;
      }
      const extent extent = extent_of(array, call);
      if (!extent.is_dense) {
        std::vector<std::byte>& dense = space_.dense[index];
        dense.resize(static_cast<std::size_t>(extent.bytes));
        if (!is_out) copy_elements(array, call, dense.data(), direction::gather);
        make_dense(array, call, dense.data());
      }
      if (is_out) {
        space_.arrays[index].reserve(on_, extent.bytes);
      } else {
        space_.arrays[index].upload(on_, array.data, extent.bytes);
      }
      memory_[index] = &space_.arrays[index].whole();
      base_[index] = array.data;
    }
    // What is written there is no longer what was sent.
    if (job_.in_place) space_.arrays[0].forget();
  }

  // Which kernel, and the size of its tiles.
  void choose_kernel(std::size_t column) { take_kernel(column != no_axis && can_see_words(column)); }
  void take_kernel(bool words) {
    for (const kernel& kernel : kernels_) {
      if (kernel.element_bytes == job_.bound.out().element_bytes && kernel.packs_words == words) job_.with = &kernel;
    }
    tile_.queries = device_tile::rows;
    tile_.keys = device_tile::threads_along_row *
                 (words ? device_tile::words_per_thread * word_bytes / job_.bound.out().element_bytes : 1);
  }
  [[nodiscard]] tile_size tile() const { return tile_; }

  // By the tiles of a plan, whose own are multiples of a device's or the only ones along their axis.
  void list_tiles(const tile_layout& layout, const tile_plan& plan) {
    axes_ = {layout.tiles.column, layout.tiles.row, no_axis, layout.copies};
    if (layout.tiles.plane_count > 0) axes_[2] = layout.tiles.planes[layout.tiles.plane_count - 1];
    for (std::size_t at = 0; at + 1 < layout.tiles.plane_count; ++at) outer_planes_.push_back(layout.tiles.planes[at]);
    for (std::size_t at = 0; at < layout.other_count; ++at) others_.push_back(layout.others[at]);
    const std::int64_t planes = size_of(2);
    for_each_box([&](device_step step) {
      const std::int64_t first_column = step.at[0] / tile_.keys;
      const std::int64_t last_column = over(step.at[0] + step.size[0], tile_.keys);
      const std::int64_t keys = plan.tile.keys >= plan.keys ? over(plan.keys, tile_.keys) : plan.tile.keys / tile_.keys;
      for (const tile_work work : {tile_work::fill, tile_work::copy, tile_work::decide}) {
        if (work == tile_work::copy && job_.in_place) continue;
        const verdict what = work == tile_work::fill   ? verdict::none
                             : work == tile_work::copy ? verdict::all
                                                       : verdict::some;
        start_step(step, work);
        for (std::int64_t plane = 0; plane < step.size[2]; ++plane) {
          const std::int64_t plan_plane = step.outer_plane * planes + step.at[2] + plane;
          for (std::int64_t row = 0; row < step.size[1]; row += tile_.queries) {
            for (const tile_run& run : plan.row(plan_plane, (step.at[1] + row) / plan.tile.queries)) {
              if (run.kept != what) continue;
              const std::int64_t last = std::min(run.end * keys, last_column);
              for (std::int64_t column = std::max(run.begin * keys, first_column); column < last; ++column) {
                add_tile(column - first_column, row / tile_.queries, plane);
              }
            }
          }
        }
        finish_step(step);
      }
    });
  }

  // Everything, to be decided element by element. The axes are folded.
  void list_everything() {
    for (std::size_t axis = 0; axis < job_.bound.rank; ++axis) {
      if (axis < kernel_rank) {
        axes_[axis] = axis;
      } else {
        others_.push_back(axis);
      }
    }
    // Boxes narrower than a tile may start between words.
    const std::int64_t columns = box_size()[0];
    if (columns < size_of(0) && columns % tile_.keys != 0) take_kernel(false);
    for_each_box([&](device_step step) {
      start_step(step, tile_work::decide);
      for (std::int64_t plane = 0; plane < step.size[2]; ++plane) {
        for (std::int64_t row = 0; row * tile_.queries < step.size[1]; ++row) {
          for (std::int64_t column = 0; column * tile_.keys < step.size[0]; ++column) add_tile(column, row, plane);
        }
      }
      finish_step(step);
    });
  }

  // Are the tiles of these axes such that every box has whole ones?
  [[nodiscard]] bool tiles_fit(const tile_layout& layout) {
    axes_ = {layout.tiles.column, layout.tiles.row, no_axis, no_axis};
    const std::array<std::int64_t, kernel_rank> size = box_size();
    const bool fit =
        (size[0] == size_of(0) || size[0] % tile_.keys == 0) && (size[1] == size_of(1) || size[1] % tile_.queries == 0);
    axes_.fill(no_axis);
    return fit;
  }

  void run() {
    if (space_.tiles.empty()) return;
    space_.tile_memory.upload(on_, reinterpret_cast<const std::byte*>(space_.tiles.data()),
                              static_cast<std::int64_t>(space_.tiles.size() * sizeof(std::int32_t)));
    for (const device_step& step : space_.steps) {
      offsets start{};
      std::int64_t rest = step.outer_plane;
      for (std::size_t at = outer_planes_.size(); at-- > 0;) {
        move(start, outer_planes_[at], rest % job_.bound.sizes[outer_planes_[at]]);
        rest /= job_.bound.sizes[outer_planes_[at]];
      }
      for (std::size_t place = 0; place < kernel_rank; ++place) {
        if (axes_[place] != no_axis) move(start, axes_[place], step.at[place]);
      }
      std::int64_t others = 1;
      for (const std::size_t axis : others_) others *= job_.bound.sizes[axis];
      for (std::int64_t other = 0; other < others; ++other) {
        offsets at = start;
        rest = other;
        for (const std::size_t axis : others_) {
          move(at, axis, rest % job_.bound.sizes[axis]);
          rest /= job_.bound.sizes[axis];
        }
        run(step, at);
      }
    }
  }

  // Brings the result to the host, if that is where it is wanted.
  void fetch_result(bool wait) {
    bound_array& out = job_.bound.arrays[job_.bound.array_count - 1];
    if (out.on_device) {
      if (wait) wait_for(on_);
      return;
    }
    const extent extent = extent_of(host_out_, host_call());
    if (extent.is_dense) {
      copy_to_host(on_, *memory_[job_.bound.array_count - 1], host_out_.data, extent.bytes);
      return;
    }
    std::vector<std::byte>& dense = space_.dense[job_.bound.array_count - 1];
    dense.resize(static_cast<std::size_t>(extent.bytes));
    copy_to_host(on_, *memory_[job_.bound.array_count - 1], dense.data(), extent.bytes);
    copy_elements(host_out_, host_call(), dense.data(), direction::scatter);
  }

  void remember_sizes() { host_call_ = job_.bound; }

  // Tiles are found by looking at the operands; a mask may be where only the device sees it.
  [[nodiscard]] bool host_sees_operands() const {
    const std::span<const bound_array> operands = job_.bound.operands();
    return std::none_of(operands.begin(), operands.end(), [](const bound_array& one) { return one.on_device; });
  }

 private:
  using offsets = std::array<std::int64_t, max_arrays>;  // in bytes, one for each array
  static constexpr std::int64_t word_bytes = 4;
  static constexpr std::int64_t part_span = std::int64_t{1} << device_place::part_bits;

  [[nodiscard]] const bound_call& host_call() const { return host_call_; }

  [[nodiscard]] std::int64_t size_of(std::size_t place) const {
    return axes_[place] == no_axis ? 1 : job_.bound.sizes[axes_[place]];
  }
  [[nodiscard]] std::int64_t byte_stride(std::size_t array, std::size_t axis) const {
    const bound_array& one = job_.bound.arrays[array];
    return axis == no_axis ? 0 : one.strides[axis] * one.element_bytes;
  }
  void move(offsets& at, std::size_t axis, std::int64_t steps) const {
    for (std::size_t array = 0; array < job_.bound.array_count; ++array) at[array] += steps * byte_stride(array, axis);
  }

  // An array whose memory cannot be pointed into starts at its first byte, and so reaches nothing before it.
  void check_starts_within(const bound_array& array, std::size_t index) const {
    if (on_.has_pointers) return;
    for (std::size_t axis = 0; axis < job_.bound.rank; ++axis) {
      if (array.strides[axis] < 0 && job_.bound.sizes[axis] > 1) {
        throw error("device-memory",
                    index == 0                            ? "logits"
                    : index + 1 == job_.bound.array_count ? "out"
                                                          : "side input",
                    "it has a negative stride, so that it reaches before the start of its memory in the device",
                    "give an array that starts with its lowest address");
      }
    }
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
        if (axis != column && call.sizes[axis] > 1 && array.strides[axis] * array.element_bytes % access != 0) {
          return false;
        }
      }
    }
    return true;
  }

  // What a box spans along each of its axes: no more of any array's memory than a kernel can count, and whole tiles
  // where one fits.
  [[nodiscard]] std::array<std::int64_t, kernel_rank> box_size() const {
    std::array<std::int64_t, kernel_rank> size;
    std::array<std::int64_t, max_arrays> span{};
    for (std::size_t place = 0; place < kernel_rank; ++place) {
      std::int64_t most = size_of(place);
      if (place == 3) most = std::min(most, most_copies);
      for (std::size_t array = 0; array < job_.bound.array_count; ++array) {
        const std::int64_t stride = std::abs(byte_stride(array, axes_[place]));
        if (stride > 0) most = std::min(most, 1 + (part_span - span[array]) / stride);
      }
      const std::int64_t tile = place == 0 ? tile_.keys : place == 1 ? tile_.queries : 1;
      if (most < size_of(place) && most >= tile) most -= most % tile;
      for (std::size_t array = 0; array < job_.bound.array_count; ++array) {
        span[array] += (most - 1) * std::abs(byte_stride(array, axes_[place]));
      }
      size[place] = most;
    }
    return size;
  }

  template <class Visit>
  void for_each_box(Visit visit) {
    space_.tiles.clear();
    space_.steps.clear();
    const std::array<std::int64_t, kernel_rank> most = box_size();
    std::int64_t outer = 1;
    for (const std::size_t axis : outer_planes_) outer *= job_.bound.sizes[axis];
    device_step step{};
    for (step.outer_plane = 0; step.outer_plane < outer; ++step.outer_plane) {
      for (step.at[3] = 0; step.at[3] < size_of(3); step.at[3] += most[3]) {
        for (step.at[2] = 0; step.at[2] < size_of(2); step.at[2] += most[2]) {
          for (step.at[1] = 0; step.at[1] < size_of(1); step.at[1] += most[1]) {
            for (step.at[0] = 0; step.at[0] < size_of(0); step.at[0] += most[0]) {
              for (std::size_t place = 0; place < kernel_rank; ++place) {
                step.size[place] = std::min(most[place], size_of(place) - step.at[place]);
              }
              visit(step);
            }
          }
        }
      }
    }
  }

  void start_step(device_step& step, tile_work work) const {
    step.work = work;
    step.first = static_cast<std::int64_t>(space_.tiles.size()) / 3;
  }
  void add_tile(std::int64_t column, std::int64_t row, std::int64_t plane) {
    for (const std::int64_t one : {column, row, plane}) space_.tiles.push_back(static_cast<std::int32_t>(one));
  }
  void finish_step(device_step& step) {
    step.count = static_cast<std::int64_t>(space_.tiles.size()) / 3 - step.first;
    if (step.count > 0) space_.steps.push_back(step);
  }

  // An array as a kernel takes it: its axes, and where it starts.
  struct seen_array {
    std::optional<device_place> place;
    std::array<halide_dimension_t, kernel_rank + 1> axes;
    halide_buffer_t buffer;
  };

  // The axis at whose index 1 a box starts, so many elements behind the start of the memory.
  static halide_dimension_t start_axis(std::int64_t elements) { return {0, 2, static_cast<std::int32_t>(elements)}; }

  void see(seen_array& seen, std::size_t index, const device_step& step, std::int64_t offset) {
    const bound_array& array = job_.bound.arrays[index];
    const bool words = job_.with->packs_words && (index == 0 || index + 1 == job_.bound.array_count);
    const std::int64_t unit = words ? word_bytes : array.element_bytes;
    std::int64_t lowest = offset;
    for (std::size_t place = 0; place < kernel_rank; ++place) {
      const std::int64_t stride = step.size[place] > 1 ? byte_stride(index, axes_[place]) : 0;
      const std::int64_t size = words && place == 0 ? step.size[0] * array.element_bytes / unit : step.size[place];
      seen.axes[place] = halide_dimension_t(0, static_cast<std::int32_t>(size),
                                            static_cast<std::int32_t>(words && place == 0 ? 1 : stride / unit));
      lowest += std::min<std::int64_t>(0, stride * (step.size[place] - 1));
    }
    const std::int64_t part = lowest >> device_place::part_bits;
    const std::int64_t rest = offset - (part << device_place::part_bits);
    seen.axes[kernel_rank] = start_axis(rest / unit);
    seen.place.emplace(on_, *memory_[index], part);
    const halide_type_t type = words ? halide_type_t(halide_type_uint, 32, 1) : array.type;
    seen.buffer = seen.place->seen_as(type, seen.axes);
  }

  void run(const device_step& step, const offsets& at) {
    const bound_call& call = job_.bound;
    std::array<seen_array, max_arrays> seen;
    std::array<void*, max_arrays + 4> arguments;
    std::size_t count = 0;
    void* context = &on_.call;
    arguments[count++] = static_cast<void*>(&context);
    std::uint64_t masked = job_.masked;
    for (std::int64_t width = call.out().element_bytes; width < 8; width *= 2) masked |= masked << (8 * width);
    for (std::size_t index = 0; index < call.array_count; ++index) {
      see(seen[index], index, step, at[index] + (call.arrays[index].data - base_[index]));
      if (index + 1 < call.array_count) arguments[count++] = &seen[index].buffer;
    }
    arguments[count++] = &masked;
    constexpr std::int64_t tile_bytes = 3 * sizeof(std::int32_t);
    const std::int64_t first_byte = step.first * tile_bytes;
    const std::int64_t part = first_byte >> device_place::part_bits;
    const std::int64_t start =
        (first_byte - (part << device_place::part_bits)) / static_cast<std::int64_t>(sizeof(std::int32_t));
    const device_place place(on_, space_.tile_memory.whole(), part);
    std::array<halide_dimension_t, 3> axes{halide_dimension_t(0, 3, 1),
                                           halide_dimension_t(0, static_cast<std::int32_t>(step.count), 3),
                                           start_axis(start)};
    halide_buffer_t tiles = place.seen_as(halide_type_t(halide_type_int, 32, 1), axes);
    arguments[count++] = &tiles;
    auto work = static_cast<std::int32_t>(step.work);
    arguments[count++] = &work;
    arguments[count++] = &seen[call.array_count - 1].buffer;
    check_device(on_, "its kernel", on_.call.run([&] { return job_.with->run(arguments.data()); }));
  }

  mask_job& job_;
  std::span<const kernel> kernels_;
  device& on_;
  device_workspace& space_;
  bound_call host_call_;    // as the host has it: sizes of the axes that strides are for
  bound_array host_out_{};  // the result there
  tile_size tile_;
  std::array<const halide_buffer_t*, max_arrays> memory_{};
  std::array<const std::byte*, max_arrays> base_{};  // the `data` that stands for the start of the memory
  std::array<std::optional<wrapped_memory>, max_arrays> wrapped_;
  std::array<std::size_t, kernel_rank> axes_{no_axis, no_axis, no_axis, no_axis};
  std::vector<std::size_t> outer_planes_;
  std::vector<std::size_t> others_;
};

// Can the tiles of a plan be cut into those of a device?
bool is_multiple(const tile_plan& plan, tile_size tile) {
  return (plan.tile.keys % tile.keys == 0 || plan.tile.keys >= plan.keys) &&
         (plan.tile.queries % tile.queries == 0 || plan.tile.queries >= plan.queries);
}

}  // namespace

device_workspace& device_workspaces::find(const device& on) {
  for (const auto& one : all_) {
    if (one->interface == on.interface && one->context == on.call.cuda_context && one->stream == on.call.cuda_stream) {
      return *one;
    }
  }
  all_.push_back(std::make_unique<device_workspace>());
  device_workspace& added = *all_.back();
  added.interface = on.interface;
  added.context = on.call.cuda_context;
  added.stream = on.call.cuda_stream;
  return added;
}

void device_workspaces::release() noexcept {
  for (const auto& one : all_) {
    device on(one->interface, {}, false);
    on.call.cuda_context = one->context;
    on.call.cuda_stream = one->stream;
    for (device_memory& memory : one->arrays) memory.release(on);
    one->tile_memory.release(on);
  }
  all_.clear();
}

std::vector<side_input> with_numbers_on_host(device& on, std::span<const side_input> side_inputs,
                                             device_workspace& space) {
  std::vector<side_input> result(side_inputs.begin(), side_inputs.end());
  space.numbers.resize(std::max(space.numbers.size(), result.size()));
  for (std::size_t index = 0; index < result.size(); ++index) {
    any_view& array = result[index].array;
    if (!array.is_in_device_memory() || array.type() == dtype::boolean || array.data() == nullptr) continue;
    std::int64_t count = array.element_count() == 0 ? 0 : 1;
    for (const named_axis& axis : array.axes()) {
      if (axis.stride < 0) {
        throw error("device-memory", std::string(result[index].name),
                    "it has a negative stride, so that it reaches before the start of its memory in the device",
                    "give an array that starts with its lowest address");
      }
      count += count == 0 ? 0 : (axis.size - 1) * axis.stride;
    }
    std::vector<std::byte>& copy = space.numbers[index];
    copy.resize(static_cast<std::size_t>(count * info(array.type()).bytes));
    if (count > 0) {
      const wrapped_memory memory(on, array.data());
      copy_to_host(on, memory.whole(), copy.data(), static_cast<std::int64_t>(copy.size()));
    }
    array = any_view(copy.data(), array.type(), array.axes());
  }
  return result;
}

void run_on_device(mask_job& job, const layer_type& type, std::span<const kernel> kernels, device& on,
                   device_workspace& space, tile_planner& planner, tile_plan& own_plan, const tile_layout* layout,
                   const tile_plan* plan, bool wait) {
  device_pass pass(job, kernels, on, space);
  pass.remember_sizes();
  pass.place_arrays();
  // Tiles serve where the innermost axis is one along which the mask changes.
  tile_layout own_layout;
  const auto serves = [&](const tile_layout& one) {
    if (one.cell != no_axis) return false;
    pass.choose_kernel(one.tiles.column);
    return pass.tiles_fit(one);
  };
  if (plan != nullptr && serves(*layout) && is_multiple(*plan, pass.tile())) {
    pass.list_tiles(*layout, *plan);
  } else if (pass.host_sees_operands() && find_layout(job, own_layout) && serves(own_layout)) {
    planner.find(type, job.bound, own_layout.tiles, pass.tile(), own_plan);
    pass.list_tiles(own_layout, own_plan);
  } else {
    fold_axes(job.bound);
    pass.choose_kernel(job.bound.rank > 0 ? 0 : no_axis);
    pass.list_everything();
  }
  pass.run();
  pass.fetch_result(wait);
}

}  // namespace axismask
