// Rows of which a mask keeps nothing, and which keep the keys at their own position.
#include "attention/kept_rows.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <numbers>

#include "attention/halves.hpp"

namespace axismask {
namespace {

double number_of(const attention_array& array, const std::byte* place) {
  if (array.type == dtype::float32) {
    float number = 0;
    std::memcpy(&number, place, sizeof number);
    return static_cast<double>(number);
  }
  std::uint16_t bits = 0;
  std::memcpy(&bits, place, sizeof bits);
  return static_cast<double>(array.type == dtype::float16 ? number_of_float16(bits) : number_of_bfloat16(bits));
}

void put(const attention_array& array, std::byte* place, double value) {
  const auto number = static_cast<float>(value);
  if (array.type == dtype::float32) {
    std::memcpy(place, &number, sizeof number);
    return;
  }
  const std::uint16_t bits = array.type == dtype::float16 ? float16_of(number) : bfloat16_of(number);
  std::memcpy(place, &bits, sizeof bits);
}

// One row, in double: the softmax over the keys that it keeps.
class kept_row {
 public:
  kept_row(const attention_job& job, std::int64_t row) : job_(job) {
    for (std::size_t axis = job.key_axis(); axis-- > 0;) {
      index_[axis] = row % job.axes[axis].size;
      row /= job.axes[axis].size;
    }
  }

  void attend(std::span<const kept_key> keys) {
    const double sink =
        job_.sinks.is_there() ? number_of(job_.sinks, at(job_.sinks)) : -std::numeric_limits<double>::infinity();
    std::vector<double> scores;
    double largest = sink;
    for (const kept_key& one : keys) {
      scores.push_back(score_of(one.key));
      largest = std::max(largest, scores.back());
    }
    std::vector<double> sums(static_cast<std::size_t>(job_.value_projection), 0.0);
    double total = std::exp(sink - largest);
    for (std::size_t number = 0; number < keys.size(); ++number) {
      const double weight = std::exp(scores[number] - largest);
      total += weight;
      const std::byte* value = at(job_.values) + keys[number].key * job_.values.strides[job_.key_axis()];
      for (std::size_t column = 0; column < sums.size(); ++column) {
        sums[column] += weight * number_of(job_.values, value + step(job_.values, column));
      }
    }
    for (std::size_t column = 0; column < sums.size(); ++column) {
      put(job_.out, at(job_.out) + step(job_.out, column), sums[column] / total);
    }
    if (job_.log_sum_exp.is_there()) put(job_.log_sum_exp, at(job_.log_sum_exp), largest + std::log(total));
  }

 private:
  [[nodiscard]] std::byte* at(const attention_array& array) const {
    std::byte* place = array.data;
    for (std::size_t axis = 0; axis < job_.key_axis(); ++axis) place += index_.at(axis) * array.strides.at(axis);
    return place;
  }
  [[nodiscard]] static std::int64_t step(const attention_array& array, std::size_t column) {
    return static_cast<std::int64_t>(column) * array.projection_stride;
  }

  [[nodiscard]] double score_of(std::int64_t key) const {
    const std::byte* query = at(job_.queries);
    const std::byte* place = at(job_.keys) + key * job_.keys.strides[job_.key_axis()];
    double score = 0;
    for (std::size_t d = 0; d < static_cast<std::size_t>(job_.projection); ++d) {
      score +=
          number_of(job_.queries, query + step(job_.queries, d)) * number_of(job_.keys, place + step(job_.keys, d));
    }
    score *= static_cast<double>(job_.scale);
    if (job_.softcap != 0) {
      const auto cap = static_cast<double>(job_.softcap);
      score = cap * std::tanh(score / cap);
    }
    return score * std::numbers::ln2;
  }

  const attention_job& job_;
  std::array<std::int64_t, max_rank> index_{};
};

}  // namespace

void kept_rows::find(const layer_values& layer, const attention_job& job, tile_planner& planner) {
  // What the finder tells is where in the result keys are kept: of a result whose elements are numbered.
  mask_job numbered = job.mask;
  bound_array& out = numbered.bound.add(nullptr, dtype::boolean);
  std::int64_t stride = 1;
  for (std::size_t axis = job.axes.size(); axis-- > 0;) {
    out.strides[axis] = stride;
    stride *= job.axes[axis].size;
  }
  numbered.in_place = false;
  finder_.find(layer, job.axes, numbered, nullptr, planner);
  keys_.clear();
  finder_.visit_kept([&](std::int64_t at, std::int64_t count, std::int64_t) {
    for (std::int64_t key = 0; key < count; ++key) {
      keys_.push_back({at / job.keys_count(), at % job.keys_count() + key});
    }
  });
  std::sort(keys_.begin(), keys_.end(),
            [](const kept_key& a, const kept_key& b) { return a.row != b.row ? a.row < b.row : a.key < b.key; });
}

void kept_rows::attend(const attention_job& job) const {
  for (auto first = keys_.begin(); first != keys_.end();) {
    const auto last = std::find_if(first, keys_.end(), [&](const kept_key& one) { return one.row != first->row; });
    kept_row(job, first->row).attend({first, last});
    first = last;
  }
}

}  // namespace axismask
