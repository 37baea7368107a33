// Attention against plain loops in double: random layers, layouts, groups, dtypes, rules, sinks, in every variant.
#include "axismask/attention.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <limits>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "axismask/call/empty_row_rule.hpp"
#include "axismask/kernel/attention_kernels.hpp"
#include "axismask/layers.hpp"
#include "axismask/linked.hpp"
#include "random_call.hpp"

namespace axismask {
namespace {

using namespace test;  // NOLINT(google-build-using-namespace): random calls

constexpr double infinity = std::numeric_limits<double>::infinity();

float half_to_float(std::uint16_t bits) {
  const int exponent = (bits >> 10) & 31;
  const int fraction = bits & 1023;
  const double magnitude = exponent == 31  ? (fraction != 0 ? std::nan("") : infinity)
                           : exponent == 0 ? std::ldexp(fraction, -24)
                                           : std::ldexp(fraction + 1024, exponent - 25);
  return static_cast<float>((bits & 0x8000) != 0 ? -magnitude : magnitude);
}

double number_in(const test_array& array, std::ptrdiff_t at) {
  const std::byte* place = array.memory.data() + at;
  if (array.type == dtype::float32) {
    float number = 0;
    std::memcpy(&number, place, sizeof number);
    return number;
  }
  std::uint16_t bits = 0;
  std::memcpy(&bits, place, sizeof bits);
  if (array.type == dtype::bfloat16) return std::bit_cast<float>(static_cast<std::uint32_t>(bits) << 16U);
  return half_to_float(bits);
}

void fill_with_numbers(random_source& random, test_array& array, double size) {
  std::normal_distribution<double> normal(0, size);
  const auto bytes = static_cast<std::size_t>(info(array.type).bytes);
  for (std::size_t at = 0; at + bytes <= array.memory.size(); at += bytes) {
    const auto number = static_cast<float>(normal(random));
    std::uint32_t bits = std::bit_cast<std::uint32_t>(number);
    if (array.type == dtype::bfloat16) bits >>= 16U;
    if (array.type == dtype::float16) {
      const auto steps = static_cast<std::uint32_t>(std::min(1023.0, std::abs(number) * 256.0));
      bits = (pick(random, 0, 1) == 0 ? 0x8000U : 0U) | (0x3800U + steps);
    }
    std::memcpy(array.memory.data() + at, &bits, bytes);
  }
}

dtype random_dtype(random_source& random) {
  const std::int64_t drawn = pick(random, 0, 5);
  return drawn == 0 ? dtype::float16 : drawn == 1 ? dtype::bfloat16 : dtype::float32;
}

// One random call of attention, its reference, and how far a result is from it.
class random_attention {
 public:
  random_attention(random_source& random, const linked_layer& layer, bool is_large)
      : random_(random), axes_(axes_of(random, is_large)), call(random, layer, axes_) {
    static const std::array<std::int64_t, 12> sizes{1, 2, 3, 7, 8, 16, 24, 33, 64, 80, 128, 256};
    projection_ = sizes[static_cast<std::size_t>(pick(random, 0, is_large ? 8 : 11))];
    value_projection_ = pick(random, 0, 2) == 0 ? sizes[static_cast<std::size_t>(pick(random, 0, 10))] : projection_;
    options.scale = pick(random, 0, 2) == 0 ? std::optional<double>(0.3) : std::nullopt;
    if (pick(random, 0, 2) == 0) options.softcap = 2.5;
    const std::int64_t rule = pick(random, 0, 3);
    if (rule == 0) call.values.empty_rows = empty_row_rule::zeros;
    if (rule == 1) call.values.masked_out_value = masked_value::minus_infinity();
    if (rule == 2) call.values.masked_out_value = -3.0;
    if (rule != 0 && pick(random, 0, 3) == 0 && !breach_of(empty_row_rule::keep_self, call.values)) {
      call.values.empty_rows = empty_row_rule::keep_self;
    }

    std::vector<named_axis> of_queries(axes_);
    std::vector<named_axis> of_keys;
    std::vector<named_axis> rows;
    for (const named_axis& axis : axes_) {
      if (axis.name != "kv_seq") rows.push_back(axis);
      if (axis.name == "kv_seq" || (axis.name != "seq" && pick(random, 0, 1) == 0)) of_keys.push_back(axis);
    }
    queries = make(rows, projection_, random_dtype(random));
    keys = make(of_keys, projection_, random_dtype(random));
    std::vector<named_axis> of_values = of_keys;
    if (pick(random, 0, 4) == 0) {
      std::erase_if(of_values, [](const named_axis& axis) { return axis.name != "kv_seq"; });
    }
    values = make(of_values, value_projection_, random_dtype(random));
    fill_with_numbers(random, queries, 1);
    fill_with_numbers(random, keys, 1);
    fill_with_numbers(random, values, 1);
    std::vector<named_axis> with_projection = rows;
    with_projection.push_back({"projection", value_projection_, std::int64_t{0}});
    std::shuffle(with_projection.begin(), with_projection.end(), random);
    out = make_array(random, with_projection, random_dtype(random), false);
    fill_with_random_bytes(random, out);
    std::shuffle(rows.begin(), rows.end(), random);
    log_sum_exp = make_array(random, rows, dtype::float32, false);
    options.log_sum_exp = log_sum_exp.view();
    if (pick(random, 0, 2) == 0) {
      std::vector<named_axis> some;
      for (const named_axis& axis : rows) {
        if (pick(random, 0, 1) == 0) some.push_back(axis);
      }
      sinks = make_array(random, some, dtype::float32, true);
      fill_with_numbers(random, *sinks, 1);
      options.sinks = sinks->view();
    }
    options.call.threads = static_cast<int>(pick(random, 1, 3));
  }

  void attend() {
    axismask::attend(call.values, {queries.view(), keys.view(), values.view(), out.view()}, call.inputs, options);
  }

  // The largest difference from the reference, in the result's own precision.
  void check() const {
    const double tolerance = out.type == dtype::float32 ? 2e-5 : out.type == dtype::float16 ? 1e-3 : 8e-3;
    const std::size_t key_axis = axis_named(axes_, "kv_seq");
    std::vector<named_axis> rows = axes_;
    rows[key_axis].size = 1;
    const element_offsets out_at(out, with_projection());
    const element_offsets sum_at(log_sum_exp, axes_);
    for_each_index(rows, [&](std::vector<std::int64_t> index) {
      const std::vector<double> want = reference(index);
      index.push_back(0);
      for (std::int64_t column = 0; column < value_projection_; ++column) {
        index.back() = column;
        const double got = number_in(out, out_at(index));
        check_number(got, want[static_cast<std::size_t>(column)], tolerance, index);
      }
      check_number(number_in(log_sum_exp, sum_at(index)), want.back(), 2e-5, index);
    });
  }

  [[nodiscard]] std::string text() const {
    return std::string(call.values.type->name) + " queries " + describe(queries.axes) + info_of(queries) + " keys " +
           describe(keys.axes) + info_of(keys) + " values " + describe(values.axes) + info_of(values) + " out " +
           describe(out.axes) + info_of(out) + " rule " +
           std::string(empty_row_rule_names.at(static_cast<std::size_t>(call.values.empty_rows))) + " masked " +
           std::to_string(call.values.masked_out_value.number()) + " softcap " + std::to_string(options.softcap) +
           (sinks ? " sinks " + describe(sinks->axes) : "") + " threads " + std::to_string(options.call.threads);
  }

  test_array queries, keys, values, out, log_sum_exp;
  std::optional<test_array> sinks;
  attention_options options;

 private:
  static std::string info_of(const test_array& array) { return std::string(info(array.type).name); }

  static std::vector<named_axis> axes_of(random_source& random, bool is_large) {
    std::vector<named_axis> axes = random_axes(random, is_large);
    while (axes.size() > 5)
      axes.erase(std::find_if(axes.begin(), axes.end(), [](const named_axis& axis) {
        return axis.name != "seq" && axis.name != "kv_seq" && axis.name != "heads";
      }));
    if (pick(random, 0, 2) == 0) {
      for (named_axis& axis : axes) {
        if (axis.name == "seq") axis.size = pick(random, 1, 2);
        if (axis.name == "kv_seq" && is_large) axis.size = pick(random, 2048, 3000);
      }
    }
    return axes;
  }

  test_array make(std::vector<named_axis> axes, std::int64_t projection, dtype type) {
    axes.push_back({"projection", projection, std::int64_t{0}});
    if (pick(random_, 0, 1) == 0) std::shuffle(axes.begin(), axes.end(), random_);
    return make_array(random_, axes, type, false);
  }

  // The logits' axes, and after them the projection.
  [[nodiscard]] std::vector<named_axis> with_projection() const {
    std::vector<named_axis> axes = axes_;
    axes.push_back({"projection", 0, std::int64_t{0}});
    return axes;
  }

  static void check_number(double got, double want, double tolerance, const std::vector<std::int64_t>& index) {
    const auto at = [&] {
      std::string text;
      for (const std::int64_t one : index) text += std::to_string(one) + " ";
      return text;
    };
    if (std::isnan(want)) {
      ASSERT_TRUE(std::isnan(got)) << got << " at " << at();
    } else if (std::isinf(want)) {
      ASSERT_EQ(got, want) << at();
    } else {
      ASSERT_NEAR(got, want, tolerance * std::max(1.0, std::abs(want))) << at();
    }
  }

  // The result of a row, and the logarithm of its denominator.
  [[nodiscard]] std::vector<double> reference(std::vector<std::int64_t> index) const {
    const std::size_t key_axis = axis_named(axes_, "kv_seq");
    const element_offsets query_at(queries, with_projection());
    const element_offsets key_at(this->keys, with_projection());
    const element_offsets value_at(values, with_projection());
    const double scale = options.scale.value_or(1 / std::sqrt(static_cast<double>(projection_)));
    const bool zeros = call.values.empty_rows == empty_row_rule::zeros;
    const double masked = zeros ? -infinity : static_cast<double>(masked_number());
    const std::int64_t keys = axes_[key_axis].size;
    std::vector<bool> kept;
    for (index[key_axis] = 0; index[key_axis] < keys; ++index[key_axis]) kept.push_back(call.keeps(index));
    std::vector<bool> left_out(kept.size(), false);
    if (call.values.empty_rows == empty_row_rule::keep_self &&
        std::find(kept.begin(), kept.end(), true) == kept.end()) {
      for (index[key_axis] = 0; index[key_axis] < keys; ++index[key_axis]) {
        kept[static_cast<std::size_t>(index[key_axis])] = call.is_self(index);
      }
      if (std::find(kept.begin(), kept.end(), true) != kept.end()) {
        for (std::size_t key = 0; key < kept.size(); ++key) left_out[key] = !kept[key];
      }
    }
    std::vector<double> scores;
    for (std::int64_t key = 0; key < keys; ++key) {
      index[key_axis] = key;
      if (!kept[static_cast<std::size_t>(key)]) {
        scores.push_back(left_out[static_cast<std::size_t>(key)] ? -infinity : masked);
        continue;
      }
      double score = 0;
      std::vector<std::int64_t> at = index;
      at.push_back(0);
      for (std::int64_t d = 0; d < projection_; ++d) {
        at.back() = d;
        score += number_in(queries, query_at(at)) * number_in(this->keys, key_at(at));
      }
      score *= scale;
      if (options.softcap != 0) score = options.softcap * std::tanh(score / options.softcap);
      scores.push_back(score);
    }
    index[key_axis] = 0;
    const double sink = sinks ? number_in(*sinks, element_offsets(*sinks, axes_)(index)) : -infinity;
    double largest = sink;
    for (const double score : scores) largest = std::max(largest, score);
    std::vector<double> result(static_cast<std::size_t>(value_projection_), 0);
    if (largest == -infinity) {  // nothing at all
      result.assign(result.size(), zeros ? 0 : std::nan(""));
      result.push_back(zeros ? -infinity : std::nan(""));
      if (!zeros) result.back() = -infinity;
      return result;
    }
    double total = std::exp(sink - largest);
    for (std::size_t key = 0; key < scores.size(); ++key) {
      const double weight = std::exp(scores[key] - largest);
      total += weight;
      std::vector<std::int64_t> at = index;
      at[key_axis] = static_cast<std::int64_t>(key);
      at.push_back(0);
      for (std::int64_t column = 0; column < value_projection_; ++column) {
        at.back() = column;
        if (weight != 0) result[static_cast<std::size_t>(column)] += weight * number_in(values, value_at(at));
      }
    }
    for (double& one : result) one /= total;
    result.push_back(largest + std::log(total));
    return result;
  }

  [[nodiscard]] double masked_number() const {
    switch (call.values.masked_out_value.means()) {
      case masked_value::meaning::lowest:
        return std::numeric_limits<float>::lowest();
      case masked_value::meaning::minus_infinity:
        return -infinity;
      case masked_value::meaning::number:
        break;
    }
    return call.values.masked_out_value.number();
  }

  random_source& random_;
  std::vector<named_axis> axes_;
  std::int64_t projection_ = 1;
  std::int64_t value_projection_ = 1;

 public:
  random_call call;
};

std::vector<const linked_layer*> layers_with_keys() {
  std::vector<const linked_layer*> found;
  for (const layer_library* library : linked_libraries()) {
    for (const linked_layer& layer : library->layers) {
      const auto has = [&](attribute_kind kind) {
        return std::any_of(layer.type->attributes.begin(), layer.type->attributes.end(),
                           [&](const attribute_record& one) { return one.kind == kind; });
      };
      if (has(attribute_kind::kv_axis)) found.push_back(&layer);
    }
  }
  return found;
}

class attention_variants : public testing::TestWithParam<std::string> {};

TEST_P(attention_variants, equal_the_reference) {
  const auto variants = linked_attention_kernels();
  const auto variant =
      std::find_if(variants.begin(), variants.end(), [&](const auto& one) { return one.variant == GetParam(); });
  if (variant == variants.end() || !can_run(variant->features, variant->vector_bits)) GTEST_SKIP() << "not here";
  force_variant(GetParam());
  const std::vector<const linked_layer*> layers = layers_with_keys();
  for (int seed = 0; seed < 900; seed += AXISMASK_TEST_CASE_STEP) {
    random_source random(static_cast<std::uint64_t>(seed));
    const linked_layer& layer =
        *layers[static_cast<std::size_t>(pick(random, 0, static_cast<std::int64_t>(layers.size()) - 1))];
    random_attention one(random, layer, seed % 10 == 0);
    SCOPED_TRACE("seed " + std::to_string(seed) + " " + one.text());
    one.attend();
    one.check();
    if (HasFatalFailure()) break;
  }
  force_variant("");
}

INSTANTIATE_TEST_SUITE_P(variant, attention_variants, testing::Values(AXISMASK_TEST_VARIANTS),
                         [](const auto& of) { return of.param; });

}  // namespace
}  // namespace axismask
