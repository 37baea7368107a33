// A layer's mask, read exactly.
#include "spans/mask_reader.hpp"

#include <algorithm>
#include <array>

#include "arrays/element_types.hpp"
#include "call/kernel_choice.hpp"
#include "plan/tile_layout.hpp"

namespace axismask {
namespace {

constexpr std::int64_t bytes_at_once = std::int64_t{1} << 14;  // half of a first cache

}  // namespace

readable_mask::readable_mask(const layer_values& layer, std::span<const side_input> side_inputs, tile_size tile)
    : type_(layer.type) {
  const std::span<const kernel> kernels = find_cpu_kernels(*type_);
  bind_for_plan(layer, side_inputs, call_);
  find_tiles(layer, side_inputs, call_, tile, plan_);
  job_.bound = call_.bound;
  // The result is not there, but has a place for each element: row * keys + key.
  bound_array& out = job_.bound.add(nullptr, dtype::boolean);
  out.strides[call_.tiled.column] = 1;
  std::int64_t stride = plan_.keys;
  out.strides[call_.tiled.row] = stride;
  stride *= plan_.queries;
  for (std::size_t at = call_.tiled.plane_count; at-- > 0;) {
    out.strides[call_.tiled.planes[at]] = stride;
    stride *= call_.axes[call_.tiled.planes[at]].size;
  }
  job_.bound.arrays[0] = out;
  if (plan_.planes * plan_.queries * plan_.keys > 0) carry_out_rule(layer);
  const int width = plan_.largest <= narrow_magnitude ? 4 : 8;
  set_width(job_.bound, width, converted_);
  take_kernel(job_, *type_, kernels, {operation::keep, width});
}

void readable_mask::carry_out_rule(const layer_values& layer) {
  if (!looks_for_rows(layer.empty_rows)) return;
  empty_row_finder finder;
  tile_planner planner;
  finder.find(layer, call_.axes, job_, nullptr, planner);
  finder.visit_kept([&](std::int64_t at, std::int64_t count, std::int64_t) {
    const std::int64_t key = at % plan_.keys;
    std::vector<key_range>& of_row = kept_[at / plan_.keys];
    // Once for each index along an axis along which nothing changes.
    if (of_row.empty() || of_row.back().begin != key) of_row.push_back({key, key + count});
  });
}

array_offsets readable_mask::offsets_at(std::int64_t plane, std::int64_t query, std::int64_t key) const {
  array_offsets start{};
  job_.bound.move_to(start, call_.tiled.of_planes(), plane);
  job_.bound.move(start, call_.tiled.row, query);
  job_.bound.move(start, call_.tiled.column, key);
  start[0] = 0;  // what is read is written from the start of its memory on
  return start;
}

bool readable_mask::keeps(const array_offsets& start) const {
  const std::span<const bound_array> operands = job_.bound.operands();
  std::array<std::int64_t, max_operands> numbers;
  for (std::size_t index = 0; index < operands.size(); ++index) {
    numbers[index] = number_at(operands[index].type, operands[index].data + start[index + 1]);
  }
  return type_->keep(std::span<const std::int64_t>(numbers.data(), operands.size()));
}

mask_bytes::mask_bytes(const readable_mask& mask, std::int64_t rows)
    : mask_(mask),
      box_(fitting_box(mask.job().bound, mask.axes(), {rows, std::max<std::int64_t>(bytes_at_once / rows, 1)})),
      bytes_(static_cast<std::size_t>(box_.rows * box_.columns)),
      reader_(mask.job(), mask.axes(), bytes_in_rows(mask.axes(), bytes_.data(), box_.columns)) {}

const std::uint8_t* mask_bytes::read(std::int64_t plane, std::int64_t query, std::int64_t key, const mask_box& box,
                                     kernel_failure& failure) {
  reader_.read(mask_.offsets_at(plane, query, key), box, failure);
  return bytes_.data();
}

}  // namespace axismask
