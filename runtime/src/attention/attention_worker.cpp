// What one thread does in a call of attention.
#include "attention/attention_worker.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "arrays/whole_parts.hpp"
#include "attention/halves.hpp"
#include "plan/tile_layout.hpp"

namespace axismask {
namespace {

constexpr std::int64_t line_floats = 16;  // of a cache line

// The axes of a box of scores, innermost first: queries or keys, as the scores lie.
std::size_t find_box_axes(const attention_job& job, const attention_layout& layout,
                          std::array<std::size_t, kernel_rank>& axes) {
  std::size_t count = 0;
  if (layout.uses_rows) axes[count++] = job.key_axis();
  if (layout.row != no_axis && layout.block_rows > 1) axes[count++] = layout.row;
  if (layout.fold != no_axis && layout.block_folds > 1) axes[count++] = layout.fold;
  if (!layout.uses_rows) axes[count++] = job.key_axis();
  for (std::size_t axis = count; axis < axes.size(); ++axis) axes[axis] = job.key_axis();  // of one element each
  return count;
}

// Values by columns, as many as the kernels take at once; the last ones are made up by zeros.
template <std::int64_t Columns>
void pack_columns(const number_matrix& values, float* packed) {
  const auto* row = static_cast<const float*>(values.data);
  const std::int64_t whole = values.inner / Columns * Columns;
  for (std::int64_t key = 0; key < values.outer; ++key, row += values.outer_stride) {
    float* to = packed + key * Columns;
    for (std::int64_t column = 0; column < whole; column += Columns, to += values.outer * Columns) {
      std::memcpy(to, row + column, Columns * sizeof(float));
    }
    if (whole == values.inner) continue;
    for (std::int64_t at = 0; at < Columns; ++at) to[at] = whole + at < values.inner ? row[whole + at] : 0.0F;
  }
}

}  // namespace

attention_scratch::attention_scratch(const attention_job& job, const attention_layout& layout) {
  const attention_kernels& kernels = *job.kernels;
  const std::int64_t row_multiple = 2 * std::int64_t{kernels.lanes};
  const std::int64_t chunk = made_up(layout.chunk + std::int64_t{kernels.keys}, line_floats);
  if (layout.uses_rows) {
    lanes = made_up(layout.lanes(), attention::rows);
    depth = made_up(job.projection, row_multiple);
    columns = made_up(job.value_projection, row_multiple);
    score_stride = chunk + line_floats;
    score_floats = lanes * score_stride;
  } else {
    lanes = kernels.block;
    depth = job.projection;
    columns = made_up(job.value_projection, kernels.columns);
    score_floats = lanes * chunk;
    packed_floats = made_up(columns * chunk, line_floats);
  }
  result_floats = made_up(lanes * columns + std::int64_t{attention::state_rows} * lanes, line_floats);
  block_floats = made_up(lanes * (depth + columns + 2 * std::int64_t{attention::state_rows}), line_floats);
  key_floats = made_up(depth * chunk, line_floats);
  value_floats = made_up(std::max(columns, job.value_projection) * chunk, line_floats);
  zero_floats = made_up(std::max(columns, std::int64_t{kernels.columns} * chunk), line_floats);
  const std::int64_t widest = std::max(columns, job.value_projection);
  rare_floats =
      made_up(std::max(widest * chunk, 2 * (lanes + 2) * (job.value_projection + 1)), line_floats) + widest * chunk;
  all = layout.blocks_per_unit * block_floats + 2 * made_up(score_floats, line_floats) + key_floats + value_floats +
        packed_floats + zero_floats + rare_floats;
}

attention_worker::attention_worker(const attention_job& job, const attention_layout& layout, const tile_plan& plan,
                                   float* memory, kernel_failure& failure)
    : job_(job),
      layout_(layout),
      plan_(plan),
      scratch_(job, layout),
      failure_(failure),
      calls_(*job.kernels, failure),
      mask_([&] {
        mask_job mask = job.mask;
        const std::int64_t lane = layout.uses_rows ? scratch_.score_stride : 1;
        for (bound_array* scores : {&mask.bound.arrays[0], &mask.bound.arrays[mask.bound.array_count - 1]}) {
          scores->strides = {};
          if (layout.row != no_axis) scores->strides[layout.row] = lane;
          if (layout.fold != no_axis) scores->strides[layout.fold] = lane * layout.block_rows;
          scores->strides[job.key_axis()] = layout.uses_rows ? 1 : scratch_.lanes;
        }
        return mask;
      }()),
      box_rank_(find_box_axes(job, layout, box_axes_)),
      box_(mask_, box_axes_) {
  float* next = memory;
  const auto take = [&](std::int64_t floats) {
    float* taken = next;
    next += made_up(floats, line_floats);
    return taken;
  };
  blocks_memory_ = take(layout.blocks_per_unit * scratch_.block_floats);
  scores_ = take(scratch_.score_floats);
  weights_ = take(scratch_.score_floats);
  wide_keys_ = take(scratch_.key_floats);
  wide_values_ = take(scratch_.value_floats);
  packed_ = take(scratch_.packed_floats);
  zeros_ = take(scratch_.zero_floats);
  rare_ = take(scratch_.rare_floats);
  std::fill_n(zeros_, scratch_.zero_floats, 0.0F);
  mask_.bound.arrays[0].data = reinterpret_cast<std::byte*>(scores_);
  mask_.bound.arrays[mask_.bound.array_count - 1].data = reinterpret_cast<std::byte*>(scores_);
  float* of_block = blocks_memory_;
  for (block& one : std::span(blocks_).first(static_cast<std::size_t>(layout.blocks_per_unit))) {
    const std::int64_t state = attention::state_rows * scratch_.lanes;
    one.queries = of_block;
    one.state.sums = one.queries + scratch_.lanes * scratch_.depth;
    one.state.before = one.state.sums + scratch_.lanes * scratch_.columns;
    one.state.after = one.state.before + state;
    of_block += scratch_.block_floats;
  }
}

float& attention_worker::state_of(float* state, std::int64_t lane, std::int64_t part) const {
  if (!layout_.uses_rows) return state[part * scratch_.lanes + lane];
  constexpr std::int64_t rows = attention::rows;
  return state[(lane / rows * attention::state_rows + part) * rows + lane % rows];
}

float& attention_worker::sum_of(float* sums, std::int64_t lane, std::int64_t column) const {
  return layout_.uses_rows ? sums[lane * scratch_.columns + column] : sums[column * scratch_.lanes + lane];
}

std::byte* attention_worker::at(const attention_array& array, std::byte* base, const block& of,
                                std::int64_t lane) const {
  std::byte* place = base;
  if (layout_.row != no_axis) place += (of.row + lane % layout_.block_rows) * array.strides[layout_.row];
  if (layout_.fold != no_axis) place += (of.fold + lane / layout_.block_rows) * array.strides[layout_.fold];
  return place;
}

number_matrix attention_worker::matrix(const attention_array& array, const std::byte* data, std::int64_t inner,
                                       key_range keys) const {
  const std::int64_t stride = array.strides[job_.key_axis()];
  return {data + keys.begin * stride,
          array.type,
          inner,
          keys.end - keys.begin,
          stride / array.element_bytes,
          array.projection_stride / array.element_bytes};
}

void attention_worker::go_to(std::int64_t unit) {
  std::int64_t other = unit / layout_.units_per_other;
  const std::int64_t first = unit % layout_.units_per_other * layout_.blocks_per_unit;
  places_ = {job_.queries.data, job_.keys.data,  job_.values.data,
             job_.out.data,     job_.sinks.data, job_.log_sum_exp.data};
  mask_place_ = {};
  std::int64_t plane = 0;
  std::int64_t plane_stride = 1;
  for (std::size_t number = layout_.other_axes; number-- > 0;) {
    const std::size_t axis = layout_.others[number];
    const std::int64_t size = job_.axes[axis].size;
    const std::int64_t index = other % size;
    other /= size;
    places_.queries += index * job_.queries.strides[axis];
    places_.keys += index * job_.keys.strides[axis];
    places_.values += index * job_.values.strides[axis];
    places_.out += index * job_.out.strides[axis];
    places_.sinks += index * job_.sinks.strides[axis];
    places_.log_sum_exp += index * job_.log_sum_exp.strides[axis];
    job_.mask.bound.move(mask_place_, axis, index);
    const auto planes = layout_.tiled.of_planes();
    if (std::find(planes.begin(), planes.end(), axis) == planes.end()) continue;
    plane += index * plane_stride;
    plane_stride *= size;
  }
  block_count_ = static_cast<std::size_t>(std::min(layout_.blocks_per_unit, layout_.blocks() - first));
  for (std::size_t number = 0; number < block_count_; ++number) {
    block& one = blocks_[number];
    const std::int64_t index = first + static_cast<std::int64_t>(number);
    const std::int64_t row_block = index / layout_.fold_blocks;
    one.row = row_block * layout_.block_rows;
    one.rows = std::min(layout_.block_rows, layout_.rows - one.row);
    one.fold = index % layout_.fold_blocks * layout_.block_folds;
    one.folds = std::min(layout_.block_folds, layout_.folds - one.fold);
    one.runs = plan_.row(plane, row_block);
    one.at = one.ahead = one.runs.data();
  }
}

void attention_worker::load_queries(block& of) {
  std::fill_n(of.queries, scratch_.lanes * scratch_.depth, 0.0F);
  for (std::int64_t fold = 0; fold < of.folds; ++fold) {
    for (std::int64_t row = 0; row < of.rows; ++row) {
      const std::int64_t lane = fold * layout_.block_rows + row;
      const std::byte* place = at(job_.queries, places_.queries, of, lane);
      const auto* numbers = reinterpret_cast<const float*>(place);
      std::int64_t stride = job_.queries.projection_stride / 4;
      if (job_.queries.type != dtype::float32) {
        calls_.widen({place, job_.queries.type, job_.projection, 1, 0, job_.queries.projection_stride / 2}, wide_keys_,
                     job_.projection);
        numbers = wide_keys_;
        stride = 1;
      }
      float* to = of.queries + (layout_.uses_rows ? lane * scratch_.depth : lane);
      const std::int64_t step = layout_.uses_rows ? 1 : scratch_.lanes;
      for (std::int64_t d = 0; d < job_.projection; ++d, to += step, numbers += stride) *to = *numbers * job_.scale;
    }
  }
}

void attention_worker::start(block& of) {
  std::fill_n(of.state.sums, scratch_.lanes * scratch_.columns, 0.0F);
  for (std::int64_t lane = 0; lane < scratch_.lanes; ++lane) {
    state_of(of.state.before, lane, 0) = -infinity;
    state_of(of.state.before, lane, 1) = 0;
  }
}

void attention_worker::attend(std::int64_t unit, std::int64_t stretch) {
  go_to(unit);
  for (std::size_t number = 0; number < block_count_; ++number) {
    load_queries(blocks_[number]);
    start(blocks_[number]);
  }
  const std::int64_t first = stretch * layout_.stretch;
  const std::int64_t last = std::min(first + layout_.stretch, job_.keys_count());
  std::int64_t after = first;
  for (key_range seen = next_seen(after, last), next; seen.begin < seen.end; seen = next) {
    next = next_seen(after, last);
    next_keys_ = matrix(job_.keys, places_.keys, job_.projection, next);
    piece_count_ = 0;
    cut_count_ = 0;
    for (std::size_t number = 0; number < block_count_; ++number) find_pieces(blocks_[number], seen);
    prepare_chunk(seen);
    for (std::size_t number = 0; number < block_count_; ++number) {
      block& one = blocks_[number];
      for (std::size_t index = 0; index < one.piece_count; ++index) attend_piece(one, pieces_[one.first_piece + index]);
    }
  }
}

// The first to the last key of a chunk that one of the blocks sees, as the plan has it.
attention_worker::key_range attention_worker::seen_of(key_range chunk) {
  const std::int64_t tile = plan_.tile.keys;
  key_range seen{chunk.end, chunk.begin};
  for (block& one : std::span(blocks_).first(block_count_)) {
    const tile_run* const end = one.runs.data() + one.runs.size();
    while (one.ahead != end && one.ahead->end * tile <= chunk.begin) ++one.ahead;
    for (const tile_run* run = one.ahead; run != end && run->begin * tile < chunk.end; ++run) {
      if (run->kept == verdict::none) continue;
      seen.begin = std::min(seen.begin, std::max(run->begin * tile, chunk.begin));
      seen.end = std::max(seen.end, std::min(run->end * tile, chunk.end));
    }
  }
  return seen;
}

// The next keys that are seen, at most a chunk of them, from `begin`, which is moved on; none: an empty range.
attention_worker::key_range attention_worker::next_seen(std::int64_t& begin, std::int64_t end) {
  while (begin < end) {
    const key_range seen = seen_of({begin, std::min(begin + layout_.chunk, end)});
    begin += layout_.chunk;
    if (seen.begin < seen.end) return seen;
  }
  return {end, end};
}

void attention_worker::find_pieces(block& of, key_range chunk) {
  of.first_piece = piece_count_;
  const std::int64_t tile = plan_.tile.keys;
  const tile_run* const end = of.runs.data() + of.runs.size();
  while (of.at != end && of.at->end * tile <= chunk.begin) ++of.at;
  bool is_open = false;
  for (const tile_run* run = of.at; run != end && run->begin * tile < chunk.end; ++run) {
    if (run->kept == verdict::none) {
      is_open = false;
      continue;
    }
    const key_range part{std::max(run->begin * tile, chunk.begin), std::min(run->end * tile, chunk.end)};
    if (is_open) {
      pieces_[piece_count_ - 1].end = part.end;
    } else {
      pieces_[piece_count_++] = {part.begin, part.end, cut_count_, 0};
      is_open = true;
    }
    if (run->kept != verdict::some) continue;
    cuts_[cut_count_++] = part;
    ++pieces_[piece_count_ - 1].cut_count;
  }
  of.piece_count = piece_count_ - of.first_piece;
}

void attention_worker::prepare_chunk(key_range chunk) {
  prepared_ = chunk;
  chunk_is_finite_.reset();
  prepare_keys(chunk);
  prepare_values(chunk);
}

void attention_worker::prepare_keys(key_range chunk) {
  keys_ = matrix(job_.keys, places_.keys, job_.projection, chunk);
  const bool is_near = std::abs(keys_.outer_stride) < (std::int64_t{1} << 20);
  if (layout_.uses_rows) {
    if (keys_.inner_stride == 1 && keys_.inner == scratch_.depth && is_near) return;
  } else if (keys_.inner_stride == 1 && keys_.type == dtype::float32 && is_near) {
    return;
  }
  if (scratch_.depth != keys_.inner) std::fill_n(wide_keys_, scratch_.depth * keys_.outer, 0.0F);
  calls_.widen(keys_, wide_keys_, scratch_.depth);
  keys_ = {wide_keys_, dtype::float32, scratch_.depth, keys_.outer, scratch_.depth, 1};
}

void attention_worker::prepare_values(key_range chunk) {
  values_ = matrix(job_.values, places_.values, job_.value_projection, chunk);
  const bool is_near = std::abs(values_.outer_stride) < (std::int64_t{1} << 20);
  if (layout_.uses_rows) {
    if (values_.inner_stride == 1 && values_.inner == scratch_.columns && is_near) return;
    if (scratch_.columns != values_.inner) std::fill_n(wide_values_, scratch_.columns * values_.outer, 0.0F);
    calls_.widen(values_, wide_values_, scratch_.columns);
    values_ = {wide_values_, dtype::float32, scratch_.columns, values_.outer, scratch_.columns, 1};
    return;
  }
  if (values_.inner_stride != 1 || values_.type != dtype::float32) {
    calls_.widen(values_, wide_values_, values_.inner);
    values_ = {wide_values_, dtype::float32, values_.inner, values_.outer, values_.inner, 1};
  }
  // Packed by columns: a kernel that goes down some columns of values that lie rows apart meets the same few lines of
  // the cache again and again.
  const std::int64_t columns = job_.kernels->columns;
  packed_values_ = {packed_, values_.outer, scratch_.columns, values_.outer * columns};
  pack(values_, packed_);
}

void attention_worker::pack(const number_matrix& values, float* packed) const {
  job_.kernels->columns == 8 ? pack_columns<8>(values, packed) : pack_columns<4>(values, packed);
}

number_matrix attention_worker::keys_of(const piece& keys) {
  number_matrix matrix = keys_;
  const std::int64_t bytes = info(matrix.type).bytes;
  matrix.data =
      static_cast<const std::byte*>(matrix.data) + (keys.begin - prepared_.begin) * matrix.outer_stride * bytes;
  matrix.outer = keys.end - keys.begin;
  const std::int64_t least = job_.kernels->keys;
  if (matrix.outer >= least) return matrix;
  // Made up to what the kernel takes at once; the scores of what is added are never looked at.
  float* copy = wide_keys_ + layout_.chunk * scratch_.depth;
  std::fill_n(copy, least * scratch_.depth, 0.0F);
  calls_.widen(matrix, copy, scratch_.depth);
  return {copy, dtype::float32, scratch_.depth, least, scratch_.depth, 1};
}

void attention_worker::attend_piece(block& of, const piece& keys) {
  const number_matrix matrix = keys_of(keys);
  if (layout_.uses_rows) {
    number_matrix values = values_;
    values.data = static_cast<const std::byte*>(values.data) +
                  (keys.begin - prepared_.begin) * values.outer_stride * info(values.type).bytes;
    for (std::int64_t group = 0; group < groups(); ++group) {
      calls_.row_scores(of.queries + group * attention::rows * scratch_.depth, matrix, values,
                        scores_ + group * attention::rows * scratch_.score_stride, scratch_.score_stride);
    }
  } else {
    calls_.block_scores(of.queries, matrix, scores_);
  }
  const std::int64_t count = keys.end - keys.begin;
  if (job_.softcap != 0) {
    const std::int64_t lanes = job_.kernels->lanes;
    if (layout_.uses_rows) {
      for (std::int64_t lane = 0; lane < scratch_.lanes; ++lane) {
        calls_.soften(scores_ + lane * scratch_.score_stride, made_up(count, lanes), job_.softcap);
      }
    } else {
      calls_.soften(scores_, count * scratch_.lanes, job_.softcap);
    }
  }
  mask_cuts(of, keys);
  make_up_scores(count);
  if (keys.cut_count == 0 || values_are_finite(keys)) {
    sum(of, keys);
  } else {
    sum_with_care(of, keys);
  }
}

void attention_worker::mask_cuts(const block& of, const piece& keys) {
  for (std::size_t index = 0; index < keys.cut_count; ++index) {
    const key_range cut = cuts_[keys.first_cut + index];
    mask_scores(of, cut, cut.begin - keys.begin);
  }
}

// The scores of these keys, of which the first stands at `first`: -infinity where the mask is.
void attention_worker::mask_scores(const block& of, key_range keys, std::int64_t first) {
  array_offsets place = mask_place_;
  if (layout_.row != no_axis) job_.mask.bound.move(place, layout_.row, of.row);
  job_.mask.bound.move(place, job_.key_axis(), keys.begin);
  const auto bytes = static_cast<std::int64_t>(sizeof(float));
  place[0] = first * (layout_.uses_rows ? 1 : scratch_.lanes) * bytes;
  place[mask_.bound.array_count - 1] = place[0];
  std::array<std::int32_t, kernel_rank> sizes;
  sizes.fill(1);
  for (std::size_t axis = 0; axis < box_rank_; ++axis) {
    sizes[axis] = static_cast<std::int32_t>(box_axes_[axis] == job_.key_axis() ? keys.end - keys.begin
                                            : box_axes_[axis] == layout_.row   ? of.rows
                                                                               : of.folds);
  }
  box_.run(place, sizes, failure_);
}

// Kernels take scores of a multiple of keys: what is added has no weight.
void attention_worker::make_up_scores(std::int64_t keys) {
  if (!layout_.uses_rows) {
    const std::int64_t all = made_up(keys, attention::score_multiple);
    std::fill(scores_ + keys * scratch_.lanes, scores_ + all * scratch_.lanes, -infinity);
    return;
  }
  const std::int64_t all = made_up(keys, job_.kernels->lanes);
  for (std::int64_t lane = 0; lane < scratch_.lanes; ++lane) {
    float* scores = scores_ + lane * scratch_.score_stride;
    std::fill(scores + keys, scores + all, -infinity);
  }
}

void attention_worker::sum(block& of, const piece& keys) {
  const std::int64_t offset = keys.begin - prepared_.begin;
  if (!layout_.uses_rows) {
    packed_values values = packed_values_;
    values.data += offset * job_.kernels->columns;
    values.keys = keys.end - keys.begin;
    calls_.block_sums(scores_, values, of.state, weights_);
    return;
  }
  number_matrix values = values_;
  values.data = static_cast<const std::byte*>(values.data) + offset * values.outer_stride * info(values.type).bytes;
  values.outer = keys.end - keys.begin;
  float* const before = of.state.before;
  float* const after = of.state.after;
  for (std::int64_t group = 0; group < groups(); ++group) {
    const std::int64_t state = group * attention::rows * attention::state_rows;
    softmax_state part{before + state, after + state, of.state.sums + group * attention::rows * scratch_.columns};
    const std::int64_t scores = group * attention::rows * scratch_.score_stride;
    calls_.row_sums(scores_ + scores, values, next_keys_, part, weights_ + scores, scratch_.score_stride);
  }
  of.state.swap();
}

}  // namespace axismask
