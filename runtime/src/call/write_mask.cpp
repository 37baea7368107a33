// Writes the mask of a layer by itself: binds its arrays, chooses tiles, and has the pass done.
#include <algorithm>
#include <array>
#include <cstdint>
#include <limits>
#include <string>

#include "arrays/bind_arrays.hpp"
#include "arrays/masked_bits.hpp"
#include "arrays/result_check.hpp"
#include "arrays/whole_parts.hpp"
#include "axismask/arrays/index_walk.hpp"
#include "axismask/mask.hpp"
#include "call/choose_tiling.hpp"
#include "call/kernel_choice.hpp"
#include "call/workspace.hpp"
#include "cpu/mask_pass.hpp"

namespace axismask {
namespace {

constexpr std::int64_t byte_bits = 8;

// Where the mask goes. Of bits the view's strides count bits.
struct mask_target {
  any_view memory;
  mask_form form;
};

mask_form form_of(const any_view& out, const masked_value& masked) {
  if (out.type() == dtype::boolean) return {};
  if (!breach::is_mask_dtype(out.type())) fail("mask-dtype", "out", breach::not_a_mask(out.type()));
  try {
    return {static_cast<int>(info(out.type()).bytes), 0, masked_bits(masked, out.type())};
  } catch (const error& problem) {
    throw problem.at("mask_options::masked");
  }
}

// Masks are written by the processor, from arrays that it sees.
void check_memories(const mask_target& target, std::span<const side_input> inputs, const mask_options& options) {
  check_axes("out", target.memory.axes());
  check_memory("out", target.memory);
  if (target.memory.is_const()) fail("result-const", "out", breach::result_const());
  const std::string_view device = options.call.device;
  std::string_view where;
  for (const side_input& input : inputs) {
    if (input.array.is_in_device_memory()) where = input.name;
  }
  if (target.memory.is_in_device_memory()) where = "out";
  if (where.empty() && (device == "auto" || device == "cpu")) return;
  throw error("device-mask", where.empty() ? "call_options::device" : std::string(where),
              where.empty() ? "it asks for \"" + std::string(device) + "\", and masks are written by the processor"
                            : "it is in a device's memory, and masks are written by the processor",
              "give memory of the host, and copy the mask to the device");
}

// The size of the key axis by what lies along it, or none when nothing does.
std::int64_t key_count(const layer_values& layer, std::span<const side_input> inputs) {
  const position_axes names = position_axes_of(layer);
  for (std::size_t index = 0; index < layer.type->attributes.size(); ++index) {
    const attribute_kind kind = layer.type->attributes[index].kind;
    const attribute_value& value = layer.attributes.at(index);
    const auto size_in = [&](const any_view& array) -> std::int64_t {
      const named_axis* axis = find_axis(array.axes(), names.kv);
      if (axis == nullptr && kind == attribute_kind::kv_positions) axis = find_axis(array.axes(), names.query);
      return axis == nullptr ? -1 : axis->size;
    };
    if (value.numbers != nullptr && size_in(*value.numbers) >= 0) return size_in(*value.numbers);
    if (!is_side_input(kind)) continue;
    for (const side_input& input : inputs) {
      if (input.name == value.name && size_in(input.array) >= 0) return size_in(input.array);
    }
  }
  return -1;
}

class mask_writer {
 public:
  mask_writer(const layer_values& layer, const mask_target& target, std::span<const side_input> inputs,
              const mask_options& options)
      : layer_(layer), target_(target), inputs_(inputs), options_(options) {}

  void write() {
    check_memories(target_, inputs_, options_);
    const std::span<const kernel> kernels = find_cpu_kernels(*layer_.type);
    any_view keys = target_.memory;
    const std::string_view kv_axis = position_axes_of(layer_).kv;
    const std::int64_t key_size = options_.pad_keys && !kv_axis.empty() ? key_count(layer_, inputs_) : -1;
    const named_axis* padded = key_size < 0 ? nullptr : find_axis(target_.memory.axes(), kv_axis);
    const std::int64_t padding = padded == nullptr ? 0 : padded->size - key_size;
    if (padding > 0) keys = part_of(target_.memory, kv_axis, 0, key_size);
    const borrowed_workspace space;
    write_keys(keys, kernels, *space);
    if (padding > 0) fill_padding(*padded, key_size, padding);
  }

 private:
  // The mask of the keys that there are.
  void write_keys(const any_view& keys, std::span<const kernel> kernels, workspace& space) {
    mask_job& job = space.job;
    bind(keys, job);
    const any_view logits(nullptr, dtype::float32, keys.axes());
    const tile_plan* given = options_.call.plan;
    if (given != nullptr) check_plan(*given, {layer_, logits, logits, inputs_, options_.call});
    if (keys.element_count() == 0) return;
    static_cast<void>(is_in_place(job.bound, false));  // each element has a place of its own
    const bool has_rule = looks_for_rows(layer_.empty_rows);
    if (has_rule) space.empty_rows.find(layer_, keys.axes(), job, given, space.planner);

    const mask_axes axes =
        given != nullptr ? mask_axes_of_plan(job.bound, *given, keys.axes()) : find_mask_axes(job.bound);
    const tile_plan* plan = given;
    // Below, looking for tiles takes as long as the kernel.
    constexpr std::int64_t planned_elements = std::int64_t{1} << 14;
    if (plan == nullptr && axes.can_be_planned && keys.element_count() >= planned_elements) {
      space.planner.find(*layer_.type, job.bound, axes.tiles, best_mask_tile(), space.plan);
      plan = &space.plan;
    }
    const std::int64_t largest = plan != nullptr ? plan->largest : largest_number(*layer_.type, job.bound);
    const int width = largest <= narrow_magnitude ? 4 : 8;
    set_width(job.bound, width, space.converted);
    take_kernel(job, *layer_.type, kernels, {operation::keep, width});
    kernel_failure failure;
    write_mask_tiles(job, axes, plan, target_.form, options_.call, failure);
    check_failure(failure, *layer_.type);
    if (!has_rule) return;
    space.empty_rows.visit_kept([&](std::int64_t at, std::int64_t count, std::int64_t stride) {
      mask_lines(target_.form, static_cast<std::byte*>(target_.memory.data()), stride, false).fill(at, count, true);
    });
  }

  // The logits that there are not have the mask's axes.
  void bind(const any_view& keys, mask_job& job) const {
    bind_arrays(layer_, any_view(nullptr, dtype::float32, keys.axes()), inputs_, job.bound);
    if (job.bound.rank == 0) {  // one element: a line of one
      job.bound.rank = 1;
      job.bound.sizes[0] = 1;
      for (bound_array& array : std::span(job.bound.arrays).first(job.bound.array_count)) array.strides[0] = 0;
    }
    bound_array& out = job.bound.add(keys);
    for (std::size_t axis = 0; axis < keys.axes().size(); ++axis) out.strides[axis] = keys.axes()[axis].stride;
    job.bound.arrays[0] = out;
    job.masked = 0;
    job.in_place = false;
  }

  // What is past the keys: masked. Places are counted in bytes, and of bits in bits.
  void fill_padding(const named_axis& keys, std::int64_t first, std::int64_t count) const {
    auto* memory = static_cast<std::byte*>(target_.memory.data());
    const std::int64_t unit = info(target_.memory.type()).bytes;
    for_each_line(part_of(target_.memory, keys.name, 0, count).axes(), [&](std::int64_t at, std::int64_t line,
                                                                           std::int64_t stride) {
      mask_lines(target_.form, memory, stride * unit, false).fill((first * keys.stride + at) * unit, line, false);
    });
  }

  const layer_values& layer_;
  const mask_target& target_;
  std::span<const side_input> inputs_;
  const mask_options& options_;
};

void check_bits(const any_view& bits) {
  for (const named_axis& axis : bits.axes()) {
    if (axis.stride >= 0 || axis.size <= 1) continue;
    throw error("mask-bits", "out",
                "its axis \"" + std::string(axis.name) + "\" has a stride of " + std::to_string(axis.stride) + " bits",
                "give strides of bits that are at least 0");
  }
}

}  // namespace

void write_mask(const layer_values& layer, const any_view& out, const side_inputs& inputs,
                const mask_options& options) {
  const mask_target target{out, form_of(out, options.masked)};
  mask_writer(layer, target, inputs, options).write();
}

bit_view::bit_view(void* data, std::span<const named_axis> axes, bit_order order)
    : bits_(data, dtype::boolean, axes), order_(order) {}

bit_view bit_view::with_padded_rows(void* data, std::span<const named_axis> axes, bit_order order) {
  bit_view result = packed(data, axes, order);
  std::array<named_axis, any_view::max_rank> padded;
  std::int64_t stride = 1;
  for (std::size_t axis = axes.size(); axis-- > 0;) {
    padded.at(axis) = {axes[axis].name, axes[axis].size, stride};
    constexpr std::int64_t most = std::numeric_limits<std::int64_t>::max() / byte_bits;
    if (__builtin_mul_overflow(stride, axes[axis].size, &stride) || stride > most) {
      throw error("mask-bits", "out", "its padded rows reach further than addresses do", "give the array's own sizes");
    }
    if (axis + 1 == axes.size()) stride = made_up(stride, byte_bits);
  }
  result.bits_ = any_view(data, dtype::boolean, std::span<const named_axis>(padded).first(axes.size()));
  result.padding_ = padding::rows;
  return result;
}

bit_view bit_view::packed(void* data, std::span<const named_axis> axes, bit_order order) {
  bit_view result(data, {}, order);
  result.bits_ = any_view::dense(data, dtype::boolean, axes);
  result.padding_ = padding::end;
  return result;
}

std::int64_t bit_view::byte_count() const {
  std::int64_t last = 0;
  for (const named_axis& axis : bits_.axes()) {
    if (axis.size == 0) return 0;
    last += (axis.size - 1) * axis.stride;
  }
  return last / byte_bits + 1;
}

void write_mask(const layer_values& layer, const bit_view& out, const side_inputs& inputs,
                const mask_options& options) {
  check_bits(out.bits());
  const mask_form form{0, 1, 0, out.order() == bit_order::big};
  const mask_target target{out.bits(), form};
  mask_writer(layer, target, inputs, options).write();
  if (out.padding_ == bit_view::padding::none) return;
  // What fills the last byte, of each row or of all.
  const std::span<const named_axis> axes = out.bits().axes();
  const bool by_row = out.padding_ == bit_view::padding::rows && !axes.empty();
  const std::int64_t bits = by_row ? axes.back().size : out.bits().element_count();
  const std::int64_t left = (byte_bits - bits % byte_bits) % byte_bits;
  if (left == 0) return;
  const mask_lines lines(form, static_cast<std::byte*>(out.bits().data()), 1, false);
  index_walk<1> rows;
  for (const named_axis& axis : axes.first(by_row ? axes.size() - 1 : 0)) {
    rows.add_axis(axis.size, [&](std::size_t) { return axis.stride; });
  }
  rows.for_each([&] { lines.fill(rows.offset(0) + bits, left, false); });
}

}  // namespace axismask
