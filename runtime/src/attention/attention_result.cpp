// What is rare in a thread's work on attention, and its end: values that are no numbers, keys that were skipped and yet
// have a weight, results of several stretches, and the result.
#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstring>
#include <limits>
#include <numbers>
#include <utility>

#include "attention/attention_worker.hpp"
#include "attention/halves.hpp"

namespace axismask {
namespace {

// Without a branch, so that the compiler takes several at once.
bool are_finite(const float* numbers, std::int64_t count) {
  std::uint32_t found = 0;
  for (std::int64_t at = 0; at < count; ++at) {
    const auto bits = std::bit_cast<std::uint32_t>(numbers[at]);
    found |= (bits & 0x7f800000U) == 0x7f800000U ? 1U : 0U;
  }
  return found == 0;
}

bool are_finite(const std::uint16_t* numbers, std::int64_t count, std::uint16_t exponent) {
  std::uint32_t found = 0;
  for (std::int64_t at = 0; at < count; ++at) found |= (numbers[at] & exponent) == exponent ? 1U : 0U;
  return found == 0;
}

// Adds rows of numbers to sums, a few columns at a time in registers.
void add_rows(const float* rows, std::int64_t count, std::int64_t width, double* sums) {
  constexpr std::int64_t at_once = 8;
  for (std::int64_t first = 0; first < width; first += at_once) {
    std::array<double, at_once> of_columns{};
    const std::int64_t columns = std::min(at_once, width - first);
    for (std::int64_t row = 0; row < count; ++row) {
      const float* numbers = rows + row * width + first;
      for (std::int64_t column = 0; column < columns; ++column) {
        of_columns[static_cast<std::size_t>(column)] += static_cast<double>(numbers[column]);
      }
    }
    for (std::int64_t column = 0; column < columns; ++column) {
      sums[first + column] += of_columns[static_cast<std::size_t>(column)];
    }
  }
}

// 2^(score - base), with the limits of the kernels.
float weight_of(float score, float base) {
  const float difference = score - std::max(base, std::numeric_limits<float>::lowest());
  return difference < -126.0F ? 0.0F : std::exp2(difference);
}

void put_floats(std::byte* place, std::int64_t stride, const float* sums, std::int64_t step, float factor,
                std::int64_t count) {
  for (std::int64_t at = 0; at < count; ++at, place += stride, sums += step) {
    const float number = *sums * factor;
    std::memcpy(place, &number, sizeof number);
  }
}

void put_half(dtype type, std::byte* place, float number) {
  const std::uint16_t bits = type == dtype::float16 ? float16_of(number) : bfloat16_of(number);
  std::memcpy(place, &bits, sizeof bits);
}

}  // namespace

bool attention_worker::values_are_finite(const piece& keys) {
  // The whole chunk is looked at once; where it has a number that is none, each piece.
  if (!chunk_is_finite_) chunk_is_finite_ = are_finite_values(prepared_);
  return *chunk_is_finite_ || are_finite_values({keys.begin, keys.end});
}

bool attention_worker::are_finite_values(key_range keys) const {
  for (std::int64_t key = keys.begin; key < keys.end; ++key) {
    const std::int64_t at = (key - prepared_.begin) * values_.outer_stride;
    if (values_.type == dtype::float32) {
      if (!are_finite(static_cast<const float*>(values_.data) + at, values_.inner)) return false;
    } else {
      const std::uint16_t exponent = values_.type == dtype::float16 ? 0x7c00 : 0x7f80;
      if (!are_finite(static_cast<const std::uint16_t*>(values_.data) + at, values_.inner, exponent)) return false;
    }
  }
  return true;
}

// A value that is no number is none either when it is multiplied by a weight of 0. Of keys that no query of the block
// sees zeros are taken in the place of values; only where some see such a value and others do not, it is left out one
// by one.
void attention_worker::sum_with_care(block& of, const piece& keys) {
  const std::int64_t count = keys.end - keys.begin;
  const std::int64_t width = layout_.uses_rows ? scratch_.columns : job_.value_projection;
  number_matrix values = values_;
  values.data = static_cast<const std::byte*>(values.data) +
                (keys.begin - prepared_.begin) * values.outer_stride * info(values.type).bytes;
  values.outer = count;
  std::fill_n(rare_, width * count, 0.0F);
  calls_.widen(values, rare_, width);
  bool is_clean = true;
  for (std::int64_t key = 0; key < count; ++key) {
    float* row = rare_ + key * width;
    if (are_finite(row, width)) continue;
    if (is_hidden(of, key)) {
      std::fill_n(row, width, 0.0F);
    } else {
      is_clean = false;
    }
  }
  if (!is_clean) return sum_one_by_one(of, keys, rare_);
  const number_matrix clean{rare_, dtype::float32, width, count, width, 1};
  float* packed = rare_ + scratch_.rare_floats - scratch_.packed_floats;
  if (!layout_.uses_rows) pack(clean, packed);
  sum_over(of, keys, clean, {packed, count, scratch_.columns, count * job_.kernels->columns});
}

// Does no query of the block see the key of a piece?
bool attention_worker::is_hidden(const block& of, std::int64_t key) const {
  for (std::int64_t fold = 0; fold < of.folds; ++fold) {
    for (std::int64_t row = 0; row < of.rows; ++row) {
      const std::int64_t lane = fold * layout_.block_rows + row;
      const float score =
          layout_.uses_rows ? scores_[lane * scratch_.score_stride + key] : scores_[key * scratch_.lanes + lane];
      if (score != -infinity) return false;
    }
  }
  return true;
}

// The kernels' sums with other values in the place of those of the piece.
void attention_worker::sum_over(block& of, const piece& keys, const number_matrix& values,
                                const packed_values& packed) {
  const number_matrix given = std::exchange(values_, values);
  const packed_values given_packed = std::exchange(packed_values_, packed);
  const key_range prepared = std::exchange(prepared_, {keys.begin, keys.end});
  sum(of, keys);
  values_ = given;
  packed_values_ = given_packed;
  prepared_ = prepared;
}

void attention_worker::sum_one_by_one(block& of, const piece& keys, const float* values) {
  const std::int64_t count = keys.end - keys.begin;
  const std::int64_t width = layout_.uses_rows ? scratch_.columns : job_.value_projection;
  // The kernels do the rest with zeros in the place of values.
  sum_over(of, keys, {zeros_, dtype::float32, scratch_.columns, count, 0, 1}, {zeros_, count, scratch_.columns, 0});
  for (std::int64_t key = 0; key < count; ++key) {
    for (std::int64_t lane = 0; lane < scratch_.lanes; ++lane) {
      const float weight =
          layout_.uses_rows ? weights_[lane * scratch_.score_stride + key] : weights_[key * scratch_.lanes + lane];
      if (weight == 0) continue;
      for (std::int64_t column = 0; column < job_.value_projection; ++column) {
        sum_of(of.state.sums, lane, column) += weight * values[key * width + column];
      }
    }
  }
}

void attention_worker::save(float* to) const {
  for (std::size_t number = 0; number < block_count_; ++number) {
    const block& one = blocks_[number];
    std::copy_n(one.state.sums, scratch_.lanes * scratch_.columns, to);
    std::copy_n(one.state.before, attention::state_rows * scratch_.lanes, to + scratch_.lanes * scratch_.columns);
    to += scratch_.result_floats;
  }
}

void attention_worker::merge(std::int64_t unit, const float* partials, std::int64_t partial_floats) {
  go_to(unit);
  for (std::size_t number = 0; number < block_count_; ++number) {
    block& one = blocks_[number];
    start(one);
    for (std::int64_t stretch = 0; stretch < layout_.stretches; ++stretch) {
      const float* part =
          partials + stretch * partial_floats + static_cast<std::int64_t>(number) * scratch_.result_floats;
      auto* sums = const_cast<float*>(part);
      auto* state = sums + scratch_.lanes * scratch_.columns;
      for (std::int64_t lane = 0; lane < layout_.lanes(); ++lane) {
        float& largest = state_of(one.state.before, lane, 0);
        float& total = state_of(one.state.before, lane, 1);
        const float base = std::max(largest, state_of(state, lane, 0));
        const float fading = weight_of(largest, base);
        const float weight = weight_of(state_of(state, lane, 0), base);
        largest = base;
        total = total * fading + state_of(state, lane, 1) * weight;
        for (std::int64_t column = 0; column < job_.value_projection; ++column) {
          float& sum = sum_of(one.state.sums, lane, column);
          // What has no weight may be no number.
          sum = (fading == 0 ? 0.0F : sum * fading) + (weight == 0 ? 0.0F : sum_of(sums, lane, column) * weight);
        }
      }
    }
  }
}

bool attention_worker::masked_have_weight(const block& of, std::int64_t lane) const {
  const float largest = state_of(of.state.before, lane, 0);
  return weight_of(job_.masked, largest) > 0 || largest < job_.masked;
}

// By the literal softmax masked keys have the masked value as their score. Where that has a weight, the values of all
// of them are added.
void attention_worker::add_masked(block& of) {
  if (!std::isfinite(job_.masked)) return;
  bool any = false;
  for (std::int64_t lane = 0; lane < layout_.lanes(); ++lane) any = any || masked_have_weight(of, lane);
  if (!any) return;

  const std::int64_t width = job_.value_projection;
  // Of each lane, and of all lanes together: what is skipped.
  auto* sums = reinterpret_cast<double*>(rare_);
  auto* counts = reinterpret_cast<std::int64_t*>(sums + (scratch_.lanes + 1) * width);
  std::fill_n(sums, (scratch_.lanes + 1) * width, 0.0);
  std::fill_n(counts, scratch_.lanes + 1, std::int64_t{0});
  const double* of_skipped = sums + scratch_.lanes * width;
  for (const tile_run& run : of.runs) {
    if (run.kept != verdict::all) add_masked_of_run(of, run, sums, counts);
  }
  for (std::int64_t lane = 0; lane < layout_.lanes(); ++lane) {
    if (!masked_have_weight(of, lane)) continue;
    float& largest = state_of(of.state.before, lane, 0);
    float& total = state_of(of.state.before, lane, 1);
    const float base = std::max(largest, job_.masked);
    const float fading = weight_of(largest, base);
    const float weight = weight_of(job_.masked, base);
    largest = base;
    total = total * fading + static_cast<float>(counts[lane] + counts[scratch_.lanes]) * weight;
    for (std::int64_t column = 0; column < width; ++column) {
      float& sum = sum_of(of.state.sums, lane, column);
      sum = (fading == 0 ? 0.0F : sum * fading) +
            static_cast<float>((sums[lane * width + column] + of_skipped[column]) * static_cast<double>(weight));
    }
  }
}

// Adds the values of what is masked in the tiles of a run, for each lane in which that has a weight.
void attention_worker::add_masked_of_run(const block& of, const tile_run& run, double* sums, std::int64_t* counts) {
  const std::int64_t width = job_.value_projection;
  const std::int64_t end = std::min(run.end * plan_.tile.keys, job_.keys_count());
  for (std::int64_t begin = run.begin * plan_.tile.keys; begin < end; begin += layout_.chunk) {
    const std::int64_t count = std::min(layout_.chunk, end - begin);
    calls_.widen(matrix(job_.values, places_.values, width, {begin, begin + count}), wide_values_, width);
    if (run.kept == verdict::none) {
      counts[scratch_.lanes] += count;
      add_rows(wide_values_, count, width, sums + scratch_.lanes * width);
      continue;
    }
    std::fill_n(scores_, scratch_.score_floats, 0.0F);
    mask_scores(of, {begin, begin + count}, 0);
    for (std::int64_t lane = 0; lane < layout_.lanes(); ++lane) {
      if (!masked_have_weight(of, lane)) continue;
      for (std::int64_t key = 0; key < count; ++key) {
        const float score =
            layout_.uses_rows ? scores_[lane * scratch_.score_stride + key] : scores_[key * scratch_.lanes + lane];
        if (score != -infinity) continue;
        ++counts[lane];
        add_rows(wide_values_ + key * width, 1, width, sums + lane * width);
      }
    }
  }
}

void attention_worker::finish() {
  for (std::size_t number = 0; number < block_count_; ++number) {
    block& one = blocks_[number];
    add_masked(one);
    for (std::int64_t fold = 0; fold < one.folds; ++fold) {
      for (std::int64_t row = 0; row < one.rows; ++row) write_lane(one, fold * layout_.block_rows + row);
    }
  }
}

void attention_worker::write_lane(const block& of, std::int64_t lane) {
  float largest = state_of(of.state.before, lane, 0);
  float total = state_of(of.state.before, lane, 1);
  float fading = 1;
  if (job_.sinks.is_there()) {
    float sink = 0;
    std::memcpy(&sink, at(job_.sinks, places_.sinks, of, lane), sizeof sink);
    sink = static_cast<float>(static_cast<double>(sink) / std::numbers::ln2);
    const float base = std::max(largest, sink);
    fading = weight_of(largest, base);
    total = total * fading + weight_of(sink, base);
    largest = base;
  }
  const bool is_zero = job_.zeros && total == 0 && largest == -infinity;
  std::byte* place = at(job_.out, places_.out, of, lane);
  const float factor = is_zero ? 0.0F : fading / total;
  const float* sums = &sum_of(of.state.sums, lane, 0);
  const std::int64_t step = layout_.uses_rows ? 1 : scratch_.lanes;
  if (job_.out.type == dtype::float32) {
    put_floats(place, job_.out.projection_stride, sums, step, factor, job_.value_projection);
  } else {
    for (std::int64_t column = 0; column < job_.value_projection; ++column) {
      put_half(job_.out.type, place + column * job_.out.projection_stride, sums[column * step] * factor);
    }
  }
  if (!job_.log_sum_exp.is_there()) return;
  const double base = largest == job_.masked ? job_.masked_value : static_cast<double>(largest) * std::numbers::ln2;
  const auto log = static_cast<float>(base + std::log(static_cast<double>(total)));
  const float written = is_zero ? -infinity : log;
  std::memcpy(at(job_.log_sum_exp, places_.log_sum_exp, of, lane), &written, sizeof written);
}

}  // namespace axismask
