// Finds the rows of a call of which its mask keeps nothing: by tiles first, because a tile that is kept whole clears
// all its rows at once, and then by the mask read with whole numbers in what the tiles leave open.
#include "call/empty_row_finder.hpp"

#include <algorithm>
#include <cstring>
#include <optional>
#include <string>

#include "axismask/call/empty_row_rule.hpp"
#include "axismask/messages/text.hpp"

namespace axismask {
namespace {

// Small enough that padding, which seldom fills a tile, leaves few rows open.
constexpr tile_size tile{32, 32};

// More than this and four times what a call needs goes back to the heap: half of a batch may have been padding, and
// what follows are steps of decoding.
constexpr std::size_t most_held = std::size_t{1} << 20;

std::int64_t number_at(halide_type_t type, const std::byte* at) {
  if (type.bits == 8) return *at != std::byte{0} ? 1 : 0;
  if (type.bits == 32) {
    std::int32_t number = 0;
    std::memcpy(&number, at, sizeof number);
    return number;
  }
  std::int64_t number = 0;
  std::memcpy(&number, at, sizeof number);
  return number;
}

// The place of an attribute with this part among `keep`'s operands; ids are no positions.
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
  for (std::size_t axis = 0; axis < rank; ++axis) offset += row[axis] * array.strides[axis];
  return offset * array.element_bytes;
}

// Copies elements that lie this many bytes apart.
template <class Bits>
void copy(std::byte* to, std::int64_t to_stride, const std::byte* from, std::int64_t from_stride, std::int64_t count) {
  for (std::int64_t at = 0; at < count; ++at) std::memcpy(to + at * to_stride, from + at * from_stride, sizeof(Bits));
}
void copy(std::byte* to, std::int64_t to_stride, const std::byte* from, std::int64_t from_stride, std::int64_t count,
          std::int64_t element_bytes) {
  if (to_stride == element_bytes && from_stride == element_bytes) {
    std::memcpy(to, from, static_cast<std::size_t>(count * element_bytes));
  } else if (element_bytes == 2) {
    copy<std::uint16_t>(to, to_stride, from, from_stride, count);
  } else if (element_bytes == 4) {
    copy<std::uint32_t>(to, to_stride, from, from_stride, count);
  } else {
    copy<std::uint64_t>(to, to_stride, from, from_stride, count);
  }
}

}  // namespace

// Visits keys next to each other that are kept: their offset, that of their place in the result, and their number.
template <class Visit>
void empty_row_finder::for_each_kept(Visit visit) const {
  std::int64_t copies = 1;
  for (const kept_axis& axis : std::span(others_).first(other_count_)) copies *= axis.size;
  for (const kept_keys& keys : kept_) {
    for (std::int64_t index = 0; index < copies; ++index) {
      std::int64_t from = keys.from;
      std::int64_t to = keys.to;
      std::int64_t rest = index;
      for (std::size_t at = other_count_; at-- > 0;) {
        from += rest % others_[at].size * others_[at].from;
        to += rest % others_[at].size * others_[at].to;
        rest /= others_[at].size;
      }
      visit(from, to, keys.count);
    }
  }
}

bool empty_row_finder::is_empty(const bound_call& call, const row_index& row, std::span<const tile_run> runs,
                                std::int64_t tile_keys) const {
  const std::span<const bound_array> operands = call.operands();
  std::array<const std::byte*, max_operands> start;
  std::array<std::int64_t, max_operands> stride;
  std::array<std::int64_t, max_operands> numbers;
  for (std::size_t place = 0; place < operands.size(); ++place) {
    start[place] = operands[place].data + offset_of(operands[place], call.rank, row);
    stride[place] = operands[place].strides[key_axis_] * operands[place].element_bytes;
    numbers[place] = number_at(operands[place].type, start[place]);
  }
  for (const tile_run& run : runs) {
    if (run.kept != verdict::some) continue;
    const std::int64_t last = std::min(run.end * tile_keys, call.sizes[key_axis_]);
    for (std::int64_t key = run.begin * tile_keys; key < last; ++key) {
      for (std::size_t place = 0; place < operands.size(); ++place) {
        if (stride[place] != 0) numbers[place] = number_at(operands[place].type, start[place] + key * stride[place]);
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
  const std::int64_t stride = keys.strides[key_axis_] * keys.element_bytes;
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

void empty_row_finder::find(const layer_values& layer, std::span<const named_axis> axes, const mask_job& job,
                            const tile_plan* given, tile_planner& planner) {
  if (const auto problem = breach_of(layer.empty_rows, layer)) fail("empty-rows", layer.type->name, *problem);
  const bound_call& call = job.bound;
  type_ = layer.type;
  const auto axis_named = [&](std::string_view name) {
    return static_cast<std::size_t>(find_axis(axes, name) - axes.data());
  };
  std::size_t query_axis = no_axis;
  for (std::size_t index = 0; index < type_->attributes.size(); ++index) {
    const attribute_kind kind = type_->attributes[index].kind;
    if (kind == attribute_kind::query_axis) query_axis = axis_named(layer.attributes.at(index).name);
    if (kind == attribute_kind::kv_axis) key_axis_ = axis_named(layer.attributes.at(index).name);
  }
  query_operand_ = operand_of(*type_, attribute_kind::query_positions);
  key_operand_ = operand_of(*type_, attribute_kind::kv_positions);

  // Rows differ along the axes along which the mask changes; along the others each stands for several.
  const auto along = [&](std::size_t axis) {
    return kept_axis{call.sizes[axis], call.logits().strides[axis] * call.logits().element_bytes,
                     call.out().strides[axis] * call.out().element_bytes};
  };
  tiled_axes tiled;
  tiled.column = key_axis_;
  other_count_ = 0;
  for (std::size_t axis = 0; axis < call.rank; ++axis) {
    if (axis == key_axis_) continue;
    if (!call.changes_along(axis)) {
      others_[other_count_++] = along(axis);
    } else if (axis == query_axis) {
      tiled.row = axis;
    } else {
      tiled.planes[tiled.plane_count++] = axis;
    }
  }
  keys_ = along(key_axis_);
  kept_.clear();
  from_ = call.logits().data;
  to_ = call.out().data;
  element_bytes_ = call.logits().element_bytes;
  in_place_ = job.in_place;

  // A plan that was given may have other planes: those of the layer's arrays when it was made.
  tiled_axes planes = tiled;
  if (given == nullptr) {
    planner.find(*type_, call, tiled, tile, plan_);
  } else {
    planes.plane_count = 0;
    for (const std::string& name : given->plane_axes) planes.planes[planes.plane_count++] = axis_named(name);
  }
  const tile_plan& plan = given == nullptr ? plan_ : *given;

  const std::int64_t queries = tiled.row == no_axis ? 1 : call.sizes[tiled.row];
  std::optional<row_index> first;
  const auto note = [&](const row_index& row) {
    if (layer.empty_rows == empty_row_rule::keep_self) {
      note_kept_keys(call, row);
    } else if (!first || row < *first) {
      first = row;
    }
  };
  row_index row{};
  std::int64_t count = 1;
  for (const std::size_t axis : tiled.of_planes()) count *= call.sizes[axis];
  for (std::int64_t index = 0; index < count; ++index) {
    std::int64_t rest = index;
    for (std::size_t at = tiled.plane_count; at-- > 0;) {
      row[tiled.planes[at]] = rest % call.sizes[tiled.planes[at]];
      rest /= call.sizes[tiled.planes[at]];
    }
    std::int64_t plane = 0;
    for (const std::size_t axis : planes.of_planes()) plane = plane * call.sizes[axis] + row[axis];
    for (std::int64_t query = 0; query < queries; query += plan.tile.queries) {
      const std::span<const tile_run> runs = plan.row(plane, query / plan.tile.queries);
      const auto is = [](verdict what) { return [what](const tile_run& run) { return run.kept == what; }; };
      if (std::any_of(runs.begin(), runs.end(), is(verdict::all))) continue;
      const bool is_open = std::any_of(runs.begin(), runs.end(), is(verdict::some));
      for (std::int64_t one = query; one < std::min(query + plan.tile.queries, queries); ++one) {
        if (tiled.row != no_axis) row[tiled.row] = one;
        if (!is_open || is_empty(call, row, runs, plan.tile.keys)) note(row);
      }
    }
  }

  if (first) {
    std::string place;
    for (std::size_t axis = 0; axis < call.rank; ++axis) {
      if (axis == key_axis_ || (axis != query_axis && !call.changes_along(axis))) continue;
      place += (place.empty() ? " the row at \"" : ", \"") + std::string(axes[axis].name) + "\" " +
               std::to_string((*first)[axis]);
    }
    std::string query;
    if (query_operand_ < type_->operands.size()) {
      const bound_array& positions = call.operands()[query_operand_];
      query = ", whose query is at position " +
              std::to_string(number_at(positions.type, positions.data + offset_of(positions, call.rank, *first)));
    }
    const bool can_keep_self = !breach_of(empty_row_rule::keep_self, layer);
    throw error("empty-row", "logits", "the mask keeps nothing of" + (place.empty() ? " any row" : place) + query,
                "give that query a key that it sees; if it is padding, give the layer the empty_rows \"masked\"" +
                    std::string(can_keep_self ? " or \"keep_self\"" : ""));
  }
  std::int64_t kept = 0;
  for (const kept_keys& one : kept_) kept += one.count;
  for (const kept_axis& axis : std::span(others_).first(other_count_)) kept *= axis.size;
  const auto bytes = static_cast<std::size_t>(in_place_ ? kept * element_bytes_ : 0);
  if (copy_.capacity() > 4 * bytes + most_held) std::vector<std::byte>().swap(copy_);
  copy_.resize(bytes);
  if (!in_place_) return;
  std::byte* next = copy_.data();
  for_each_kept([&](std::int64_t from, std::int64_t, std::int64_t keys) {
    copy(next, element_bytes_, from_ + from, keys_.from, keys, element_bytes_);
    next += keys * element_bytes_;
  });
}

void empty_row_finder::put_back() const {
  const std::byte* next = copy_.data();
  for_each_kept([&](std::int64_t from, std::int64_t to, std::int64_t keys) {
    copy(to_ + to, keys_.to, in_place_ ? next : from_ + from, in_place_ ? element_bytes_ : keys_.from, keys,
         element_bytes_);
    if (in_place_) next += keys * element_bytes_;
  });
}

}  // namespace axismask
