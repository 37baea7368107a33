// Finds the rows of a call of which its mask keeps nothing: by tiles first, because a tile of which all is kept
// clears all its rows at once, and then by the mask read with whole numbers in what the tiles leave open.
#include "call/empty_row_finder.hpp"

#include <algorithm>
#include <cstring>
#include <optional>
#include <string>

#include "arrays/bind_arrays.hpp"
#include "arrays/element_types.hpp"
#include "axismask/arrays/index_walk.hpp"
#include "axismask/call/empty_row_rule.hpp"
#include "axismask/messages/text.hpp"

namespace axismask {
namespace {

// Small enough that padding, which seldom fills a tile, leaves few rows open.
constexpr tile_size tile{32, 32};

// More than this and four times what a call needs goes back to the heap: half of a batch may have been padding, and
// what follows are steps of decoding.
constexpr std::size_t most_held = std::size_t{1} << 20;

// Which of `keep`'s operands are positions of this kind, or the number of operands when none are; ids are no positions.
std::size_t operand_of(const layer_type& type, attribute_kind kind) {
  const auto found = std::find_if(type.operands.begin(), type.operands.end(), [&](std::size_t index) {
    return type.attributes[index].kind == kind && !type.attributes[index].are_ids;
  });
  return static_cast<std::size_t>(found - type.operands.begin());
}

// Where an array's element of a row's first key lies, in bytes from its first element.
template <class Index>
std::int64_t offset_of(const bound_array& array, std::size_t rank, const Index& row) {
  std::int64_t offset = 0;
  for (std::size_t axis = 0; axis < rank; ++axis) offset += row[axis] * array.byte_stride(axis);
  return offset;
}

// Copies elements that lie so many bytes apart.
template <class Bits>
void copy_elements(std::byte* to, std::int64_t to_stride, const std::byte* from, std::int64_t from_stride,
                   std::int64_t count) {
  constexpr auto bytes = static_cast<std::int64_t>(sizeof(Bits));
  if (to_stride == bytes && from_stride == bytes) {
    std::memcpy(to, from, static_cast<std::size_t>(count * bytes));
    return;
  }
  for (std::int64_t at = 0; at < count; ++at) std::memcpy(to + at * to_stride, from + at * from_stride, sizeof(Bits));
}
void copy_logits(dtype type, std::byte* to, std::int64_t to_stride, const std::byte* from, std::int64_t from_stride,
                 std::int64_t count) {
  switch (type) {
    case dtype::float16:
    case dtype::bfloat16:
      return copy_elements<std::uint16_t>(to, to_stride, from, from_stride, count);
    case dtype::float32:
      return copy_elements<std::uint32_t>(to, to_stride, from, from_stride, count);
    case dtype::float64:
      return copy_elements<std::uint64_t>(to, to_stride, from, from_stride, count);
    case dtype::int32:
    case dtype::int64:
    case dtype::boolean:
      break;
  }
  fail("logits-dtype", "logits", breach::logits_not_floats(type));
}

}  // namespace

// Visits keys next to each other that are kept: their offset in the logits, that in the result, and how many they are.
template <class Visit>
void empty_row_finder::for_each_kept(Visit visit) const {
  index_walk<2> copies;
  for (const kept_axis& axis : std::span(others_).first(other_count_)) {
    copies.add_axis(axis.size, [&](std::size_t array) { return array == 0 ? axis.from : axis.to; });
  }
  for (const kept_keys& keys : kept_) {
    copies.for_each([&] { visit(keys.from + copies.offset(0), keys.to + copies.offset(1), keys.count); });
  }
}

bool empty_row_finder::is_empty(const bound_call& call, const row_index& row, std::span<const tile_run> runs,
                                std::int64_t tile_keys) const {
  const std::span<const bound_array> operands = call.operands();
  std::array<const std::byte*, max_operands> start;
  std::array<std::int64_t, max_operands> stride;
  std::array<std::int64_t, max_operands> numbers;
  for (std::size_t index = 0; index < operands.size(); ++index) {
    start[index] = operands[index].data + offset_of(operands[index], call.rank, row);
    stride[index] = operands[index].byte_stride(key_axis_);
    numbers[index] = number_at(operands[index].type, start[index]);
  }
  for (const tile_run& run : runs) {
    if (run.kept != verdict::some) continue;
    const std::int64_t end = std::min(run.end * tile_keys, call.sizes[key_axis_]);
    for (std::int64_t key = run.begin * tile_keys; key < end; ++key) {
      for (std::size_t index = 0; index < operands.size(); ++index) {
        if (stride[index] != 0) numbers[index] = number_at(operands[index].type, start[index] + key * stride[index]);
      }
      if (type_->keep(std::span<const std::int64_t>(numbers.data(), operands.size()))) return false;
    }
  }
  return true;
}

void empty_row_finder::note_kept_keys(const bound_call& call, const row_index& row) {
  const bound_array& queries = call.operands()[query_operand_];
  const bound_array& keys = call.operands()[key_operand_];
  const std::int64_t own = number_at(queries.type, queries.data + offset_of(queries, call.rank, row));
  const std::byte* start = keys.data + offset_of(keys, call.rank, row);
  const std::int64_t stride = keys.byte_stride(key_axis_);
  const std::int64_t from = offset_of(call.logits(), call.rank, row);
  const std::int64_t to = offset_of(call.out(), call.rank, row);
  bool is_next = false;
  for (std::int64_t key = 0; key < keys_.size; ++key) {
    const bool is_kept = number_at(keys.type, start + key * stride) == own;
    if (is_kept && is_next) {
      ++kept_.back().count;
    } else if (is_kept) {
      kept_.push_back({from + key * keys_.from, to + key * keys_.to, 1});
    }
    is_next = is_kept;
  }
}

void empty_row_finder::note_job(const layer_values& layer, std::span<const named_axis> axes, const mask_job& job) {
  const bound_call& call = job.bound;
  type_ = layer.type;
  const position_axes names = position_axes_of(layer);
  query_axis_ = names.query.empty() ? no_axis : index_of_axis(axes, names.query);
  key_axis_ = index_of_axis(axes, names.kv);  // a rule asks for such an axis
  query_operand_ = operand_of(*type_, attribute_kind::query_positions);
  key_operand_ = operand_of(*type_, attribute_kind::kv_positions);

  // Rows differ along the axes along which the mask changes; along the others each stands for several.
  const auto along = [&](std::size_t axis) {
    return kept_axis{call.sizes[axis], call.logits().byte_stride(axis), call.out().byte_stride(axis)};
  };
  tiled_ = {};
  tiled_.column = key_axis_;
  other_count_ = 0;
  for (std::size_t axis = 0; axis < call.rank; ++axis) {
    if (axis == key_axis_) continue;
    if (!call.changes_along(axis)) {
      others_[other_count_++] = along(axis);
    } else if (axis == query_axis_) {
      tiled_.row = axis;
    } else {
      tiled_.planes[tiled_.plane_count++] = axis;
    }
  }
  keys_ = along(key_axis_);
  kept_.clear();
  from_ = call.logits().data;
  to_ = call.out().data;
  element_type_ = call.logits().type;
  in_place_ = job.in_place;
}

// Visits the rows of which the mask keeps nothing: their index along each axis. `planes` are the plan's plane axes.
template <class Visit>
void empty_row_finder::for_each_empty_row(const bound_call& call, const tile_plan& plan,
                                          std::span<const std::size_t> planes, Visit visit) const {
  // What a step along an axis adds to the number of the plan's plane.
  std::array<std::int64_t, max_rank> plane_strides{};
  std::int64_t plane_count = 1;
  for (std::size_t at = planes.size(); at-- > 0;) {
    plane_strides[planes[at]] = plane_count;
    plane_count *= call.sizes[planes[at]];
  }
  index_walk<1> walk;
  for (const std::size_t axis : tiled_.of_planes()) {
    walk.add_axis(call.sizes[axis], [&](std::size_t) { return plane_strides[axis]; });
  }
  const auto is = [](verdict kept) { return [kept](const tile_run& run) { return run.kept == kept; }; };
  const std::int64_t queries = size_along(call, tiled_.row);
  row_index row{};
  walk.for_each([&] {
    for (std::size_t at = 0; at < tiled_.plane_count; ++at) row[tiled_.planes[at]] = walk.index(at);
    for (std::int64_t begin = 0; begin < queries; begin += plan.tile.queries) {
      const std::span<const tile_run> runs = plan.row(walk.offset(0), begin / plan.tile.queries);
      if (std::any_of(runs.begin(), runs.end(), is(verdict::all))) continue;
      const bool is_open = std::any_of(runs.begin(), runs.end(), is(verdict::some));
      const std::int64_t end = std::min(begin + plan.tile.queries, queries);
      for (std::int64_t query = begin; query < end; ++query) {
        if (tiled_.row != no_axis) row[tiled_.row] = query;
        if (!is_open || is_empty(call, row, runs, plan.tile.keys)) visit(row);
      }
    }
  });
}

void empty_row_finder::refuse(const layer_values& layer, std::span<const named_axis> axes, const bound_call& call,
                              const row_index& row) const {
  std::string where;
  for (std::size_t axis = 0; axis < call.rank; ++axis) {
    if (axis == key_axis_ || (axis != query_axis_ && !call.changes_along(axis))) continue;
    where +=
        (where.empty() ? " the row at \"" : ", \"") + std::string(axes[axis].name) + "\" " + std::to_string(row[axis]);
  }
  std::string query;
  if (query_operand_ < type_->operands.size()) {
    const bound_array& positions = call.operands()[query_operand_];
    query = ", whose query is at position " +
            std::to_string(number_at(positions.type, positions.data + offset_of(positions, call.rank, row)));
  }
  const bool can_keep_self = !breach_of(empty_row_rule::keep_self, layer);
  throw error("empty-row", "logits", "the mask keeps nothing of" + (where.empty() ? " any row" : where) + query,
              "give that query a key that it sees; if it is padding, give the layer the empty_rows \"masked\"" +
                  std::string(can_keep_self ? " or \"keep_self\"" : ""));
}

void empty_row_finder::copy_what_is_kept() {
  std::int64_t kept = 0;
  for (const kept_keys& keys : kept_) kept += keys.count;
  for (const kept_axis& axis : std::span(others_).first(other_count_)) kept *= axis.size;
  const std::int64_t element_bytes = info(element_type_).bytes;
  const auto bytes = static_cast<std::size_t>(in_place_ ? kept * element_bytes : 0);
  if (copy_.capacity() > 4 * bytes + most_held) std::vector<std::byte>().swap(copy_);
  copy_.resize(bytes);
  if (!in_place_) return;
  std::byte* next = copy_.data();
  for_each_kept([&](std::int64_t from, std::int64_t, std::int64_t count) {
    copy_logits(element_type_, next, element_bytes, from_ + from, keys_.from, count);
    next += count * element_bytes;
  });
}

void empty_row_finder::find(const layer_values& layer, std::span<const named_axis> axes, const mask_job& job,
                            const tile_plan* given, tile_planner& planner) {
  if (const auto problem = breach_of(layer.empty_rows, layer)) fail("empty-rows", layer.type->name, *problem);
  note_job(layer, axes, job);
  // A plan that was given may have other planes: those of the layer's arrays when it was made.
  std::array<std::size_t, max_rank> planes = tiled_.planes;
  std::size_t plane_count = tiled_.plane_count;
  if (given == nullptr) {
    planner.find(*type_, job.bound, tiled_, tile, plan_);
  } else {
    plane_count = 0;
    for (const std::string& name : given->plane_axes) planes[plane_count++] = index_of_axis(axes, name);
  }
  std::optional<row_index> first;
  for_each_empty_row(job.bound, given == nullptr ? plan_ : *given, std::span(planes).first(plane_count),
                     [&](const row_index& row) {
                       if (layer.empty_rows == empty_row_rule::keep_self) {
                         note_kept_keys(job.bound, row);
                       } else if (!first || row < *first) {
                         first = row;
                       }
                     });
  if (first) refuse(layer, axes, job.bound, *first);
  copy_what_is_kept();
}

void empty_row_finder::visit_kept(
    const std::function<void(std::int64_t at, std::int64_t count, std::int64_t stride)>& visit) const {
  for_each_kept([&](std::int64_t, std::int64_t to, std::int64_t count) { visit(to, count, keys_.to); });
}

void empty_row_finder::put_back() const {
  const std::int64_t element_bytes = info(element_type_).bytes;
  const std::byte* next = copy_.data();
  for_each_kept([&](std::int64_t from, std::int64_t to, std::int64_t count) {
    if (in_place_) {
      copy_logits(element_type_, to_ + to, keys_.to, next, element_bytes, count);
      next += count * element_bytes;
    } else {
      copy_logits(element_type_, to_ + to, keys_.to, from_ + from, keys_.from, count);
    }
  });
}

}  // namespace axismask
