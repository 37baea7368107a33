// Random cases for every kernel: layers, element widths, widths of positions, orders of axes, strides, broadcasts. The
// reference is the layer's `keep` read with whole numbers, over plain loops that know nothing of folding or boxes.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <memory>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "axismask/call/call.hpp"
#include "axismask/linked.hpp"
#include "axismask/plan.hpp"

namespace axismask {
namespace {

using random_source = std::mt19937_64;

std::int64_t pick(random_source& random, std::int64_t lowest, std::int64_t highest) {
  return std::uniform_int_distribution<std::int64_t>(lowest, highest)(random);
}

// An array with memory around it that must stay as it is.
struct test_array {
  std::vector<std::byte> memory;
  std::vector<named_axis> axes;
  dtype type = dtype::float32;
  std::ptrdiff_t origin = 0;  // of the first element, in bytes

  [[nodiscard]] any_view view() { return {memory.data() + origin, type, axes}; }
};

// The byte offset of the element whose index along each axis of `over` is in `index`; an axis that the array lacks
// does not count. `renamed` is an axis of the array that goes by another name in `over`.
std::ptrdiff_t offset_of(const test_array& array, const std::vector<named_axis>& over,
                         const std::vector<std::int64_t>& index, const std::string& from = {},
                         const std::string& to = {}) {
  std::int64_t offset = 0;
  for (const named_axis& axis : array.axes) {
    const std::string_view name = axis.name == from ? to : axis.name;
    for (std::size_t at = 0; at < over.size(); ++at) {
      if (over[at].name == name) offset += index[at] * axis.stride;
    }
  }
  return array.origin + offset * info(array.type).bytes;
}

// Lays the axes out in memory in a random order, with gaps, and sometimes backwards or, for inputs, repeating.
test_array make_array(random_source& random, std::vector<named_axis> axes, dtype type, bool may_repeat) {
  std::vector<std::size_t> order(axes.size());
  for (std::size_t axis = 0; axis < axes.size(); ++axis) order[axis] = axis;
  if (pick(random, 0, 1) == 0) std::shuffle(order.begin(), order.end(), random);
  std::int64_t stride = pick(random, 0, 3) == 0 ? pick(random, 1, 3) : 1;
  std::int64_t before = 0;
  for (auto axis = order.rbegin(); axis != order.rend(); ++axis) {
    named_axis& one = axes[*axis];
    if (may_repeat && pick(random, 0, 9) == 0) {
      one.stride = 0;
      continue;
    }
    one.stride = stride;
    stride = stride * std::max<std::int64_t>(one.size, 1) + (pick(random, 0, 4) == 0 ? pick(random, 1, 5) : 0);
    if (pick(random, 0, 9) == 0) {
      before += (std::max<std::int64_t>(one.size, 1) - 1) * one.stride;
      one.stride = -one.stride;
    }
  }
  test_array array;
  array.axes = std::move(axes);
  array.type = type;
  const std::int64_t margin = 16;
  array.origin = (margin + before) * info(type).bytes;
  array.memory.resize(static_cast<std::size_t>((stride + 2 * margin) * info(type).bytes));
  return array;
}

void fill_with_random_bytes(random_source& random, test_array& array) {
  for (std::byte& one : array.memory) one = static_cast<std::byte>(random());
}

std::int64_t random_position(random_source& random, dtype type, int manner) {
  switch (manner) {
    case 0:
      return pick(random, -2, 40);
    case 1:
      return type == dtype::int32
                 ? pick(random, std::numeric_limits<std::int32_t>::min(), std::numeric_limits<std::int32_t>::max())
                 : static_cast<std::int64_t>(random());
    default: {
      // The ends of 32 and 64 bits, and where kernels of 32 bits no longer do.
      const std::int64_t edge = pick(random, 0, 2) == 0 ? narrow_magnitude >> pick(random, 0, 2)
                                : type == dtype::int32  ? std::numeric_limits<std::int32_t>::max()
                                                        : std::numeric_limits<std::int64_t>::max();
      const std::int64_t near = pick(random, 0, 5);
      return pick(random, 0, 1) == 0 ? edge - near : -edge - 1 + near;
    }
  }
}

void fill_with_positions(random_source& random, test_array& array) {
  const int manner = static_cast<int>(pick(random, 0, 5));
  const auto width = static_cast<std::size_t>(info(array.type).bytes);
  const bool ascending = pick(random, 0, 1) == 0;  // as models have them: then tiles are all, some and none
  std::int64_t next = pick(random, -40, 0);
  for (std::size_t at = 0; at + width <= array.memory.size(); at += width) {
    const std::int64_t value = ascending ? next++ : random_position(random, array.type, std::max(0, manner - 3));
    std::memcpy(array.memory.data() + at, &value, width);  // little-endian: the low bytes of an int64 are the int32
  }
}

std::int64_t position_at(const test_array& array, std::ptrdiff_t offset) {
  if (array.type == dtype::boolean) return array.memory[static_cast<std::size_t>(offset)] != std::byte{0} ? 1 : 0;
  if (array.type == dtype::int32) {
    std::int32_t value = 0;
    std::memcpy(&value, array.memory.data() + offset, sizeof value);
    return value;
  }
  std::int64_t value = 0;
  std::memcpy(&value, array.memory.data() + offset, sizeof value);
  return value;
}

std::string describe(const std::vector<named_axis>& axes) {
  std::string text;
  for (const named_axis& axis : axes) {
    text += std::string(axis.name) + ":" + std::to_string(axis.size) + "/" + std::to_string(axis.stride) + " ";
  }
  return text;
}

// Small logits go through the kernel whole; of larger ones, tiles are looked for. With a plan, small ones have tiles
// too.
enum class manner { small, large, planned };

// One random call of a layer, checked in full, the memory around the result included.
void check_random_case(random_source& random, const linked_layer& layer, dtype type, manner how,
                       std::string_view device) {
  const std::array<std::int64_t, 12> sizes =
      how == manner::large ? std::array<std::int64_t, 12>{1, 64, 65, 96, 100, 127, 128, 130, 200, 257, 1, 300}
                           : std::array<std::int64_t, 12>{0, 1, 1, 2, 3, 5, 7, 16, 31, 63, 64, 65};
  const std::array<std::string_view, 6> further{"heads", "batch", "beam", "group", "depth", "copy"};

  // The logits: seq and kv_seq, heads always (a window may lie along it), and up to five axes more.
  std::vector<named_axis> axes{{"seq", sizes[static_cast<std::size_t>(pick(random, 0, 11))], 0},
                               {"kv_seq", sizes[static_cast<std::size_t>(pick(random, 0, 11))], 0}};
  const std::int64_t more = how == manner::large ? pick(random, 1, 2) : pick(random, 1, pick(random, 1, 6));
  for (std::int64_t axis = 0; axis < more; ++axis) {
    axes.push_back({further[static_cast<std::size_t>(axis)], pick(random, 1, 3), 0});
  }
  if (pick(random, 0, 30) == 0) axes[2].size = 0;
  std::shuffle(axes.begin(), axes.end(), random);
  test_array logits = make_array(random, axes, type, pick(random, 0, 3) == 0);
  fill_with_random_bytes(random, logits);

  // Side inputs over some of these axes.
  layer_values values{layer.type, masked_value::lowest(), {}};
  struct operand {
    test_array* array = nullptr;
    std::int64_t number = 0;
    attribute_kind kind = attribute_kind::parameter;
  };
  std::vector<operand> operands;
  std::vector<std::unique_ptr<test_array>> arrays;
  std::vector<std::unique_ptr<std::string>> names;
  std::vector<side_input> inputs;
  std::vector<std::unique_ptr<any_view>> numbers;
  const auto over_some_axes = [&](std::vector<std::string_view> always, std::vector<std::string_view> never) {
    std::vector<named_axis> chosen;
    for (const named_axis& axis : axes) {
      const bool must = std::find(always.begin(), always.end(), axis.name) != always.end();
      const bool must_not = std::find(never.begin(), never.end(), axis.name) != never.end();
      if (must || (!must_not && pick(random, 0, 2) == 0)) chosen.push_back(axis);
    }
    std::shuffle(chosen.begin(), chosen.end(), random);
    return chosen;
  };
  for (const std::size_t index : layer.type->operands) {
    const attribute_record& record = layer.type->attributes[index];
    operand one{nullptr, 0, record.kind};
    if (record.kind == attribute_kind::parameter) {
      if (record.name == "sliding_window_size") {
        arrays.push_back(std::make_unique<test_array>(
            make_array(random, over_some_axes({"heads"}, {"seq", "kv_seq"}), dtype::int64, true)));
        for (std::size_t at = 0; at + 8 <= arrays.back()->memory.size(); at += 8) {
          const std::int64_t value = pick(random, 1, 20);
          std::memcpy(arrays.back()->memory.data() + at, &value, 8);
        }
        one.array = arrays.back().get();
        numbers.push_back(std::make_unique<any_view>(one.array->view()));
        values.attributes[index].numbers = numbers.back().get();
      } else {
        one.number = pick(random, 0, 6) == 0 ? pick(random, 1, std::int64_t{1} << 53) : pick(random, 1, 20);
        values.attributes[index].number = one.number;
      }
      operands.push_back(one);
      continue;
    }
    // A name of its own for each, so that queries and keys may differ in length.
    names.push_back(std::make_unique<std::string>("input_" + std::to_string(index)));
    values.attributes[index].name = *names.back();
    std::vector<named_axis> chosen;
    dtype holds = pick(random, 0, 1) == 0 ? dtype::int32 : dtype::int64;
    if (record.kind == attribute_kind::mask) {
      chosen = over_some_axes({}, {});
      holds = dtype::boolean;
    } else if (record.kind == attribute_kind::integers) {
      chosen = over_some_axes({}, {});
    } else if (record.kind == attribute_kind::query_positions) {
      chosen = over_some_axes({"seq"}, {"kv_seq"});
    } else {
      chosen = over_some_axes({"kv_seq"}, {"seq"});
      for (named_axis& axis : chosen) {
        if (axis.name == "kv_seq") axis.name = "seq";
      }
    }
    arrays.push_back(std::make_unique<test_array>(make_array(random, chosen, holds, true)));
    if (record.kind == attribute_kind::mask) {
      for (std::byte& one_byte : arrays.back()->memory) one_byte = static_cast<std::byte>(pick(random, 0, 1));
    } else {
      fill_with_positions(random, *arrays.back());
    }
    one.array = arrays.back().get();
    inputs.push_back({*names.back(), one.array->view()});
    operands.push_back(one);
  }
  for (std::size_t index = 0; index < layer.type->attributes.size(); ++index) {
    const attribute_kind kind = layer.type->attributes[index].kind;
    if (kind == attribute_kind::query_axis) values.attributes[index].name = "seq";
    if (kind == attribute_kind::kv_axis) values.attributes[index].name = "kv_seq";
  }

  // In place, or into an array with the axes in another order.
  const bool repeats = std::any_of(logits.axes.begin(), logits.axes.end(),
                                   [](const named_axis& axis) { return axis.stride == 0 && axis.size > 1; });
  const bool in_place = !repeats && pick(random, 0, 2) == 0;
  std::vector<named_axis> out_axes = axes;
  std::shuffle(out_axes.begin(), out_axes.end(), random);
  test_array out = in_place ? logits : make_array(random, out_axes, type, false);
  if (!in_place) fill_with_random_bytes(random, out);

  // What should come out: the same memory, with an element changed for each index.
  test_array want = out;
  std::uint64_t masked = 0;
  switch (info(type).bytes) {
    case 2:
      masked = 0xFBFF;  // float16's lowest
      break;
    case 4:
      masked = 0xFF7FFFFF;
      break;
    default:
      masked = 0xFFEFFFFFFFFFFFFF;
  }
  const auto width = static_cast<std::size_t>(info(type).bytes);
  std::vector<std::int64_t> index(axes.size(), 0);
  const bool empty = std::any_of(axes.begin(), axes.end(), [](const named_axis& axis) { return axis.size == 0; });
  while (!empty) {
    std::vector<std::int64_t> at;
    for (const operand& one : operands) {
      if (one.array == nullptr) {
        at.push_back(one.number);
      } else {
        const bool of_keys = one.kind == attribute_kind::kv_positions;
        at.push_back(
            position_at(*one.array, offset_of(*one.array, axes, index, of_keys ? "seq" : "", of_keys ? "kv_seq" : "")));
      }
    }
    const std::byte* from = logits.memory.data() + offset_of(logits, axes, index);
    std::byte* to = want.memory.data() + offset_of(want, axes, index);
    std::memcpy(to, layer.type->keep(at) ? static_cast<const void*>(from) : &masked, width);
    std::size_t axis = 0;
    while (axis < axes.size() && ++index[axis] == axes[axis].size) index[axis++] = 0;
    if (axis == axes.size()) break;
  }

  call_options options;
  options.threads = static_cast<int>(pick(random, 1, 3));
  options.device = device;
  std::optional<tile_plan> tiles;
  if (how == manner::planned) {
    try {
      tiles = plan(values, {pick(random, 1, 40), pick(random, 1, 40)}, inputs);
      options.plan = &*tiles;
    } catch (const error& problem) {
      ASSERT_EQ(problem.id(), "plan-axes");  // nothing tells how many queries or keys there are
    }
  }
  apply(values, logits.view(), in_place ? logits.view() : out.view(), inputs, options);
  ASSERT_EQ((in_place ? logits : out).memory, want.memory)
      << layer.type->name << " " << info(type).name << (in_place ? " in place" : "") << "\nlogits "
      << describe(logits.axes) << "\nout " << describe(out.axes);
}

// Each linked variant; one that this machine cannot run is reported as skipped, with the reason.
class kernels : public testing::TestWithParam<std::string> {
 protected:
  void SetUp() override {
    for (const layer_library* library : linked_libraries()) {
      for (const linked_layer& layer : library->layers) {
        for (const kernel& kernel : layer.kernels) {
          if (kernel.variant != GetParam()) continue;
          if (!is_usable(kernel)) {
            const std::string& problem = device_problem(kernel);
            GTEST_SKIP() << (problem.empty() ? "this processor lacks what " + std::string(kernel.target) + " needs"
                                             : problem);
          }
          if (kernel.device != nullptr) device_ = kernel.variant;
        }
      }
    }
    if (device_ == "cpu") force_variant(GetParam());
  }
  void TearDown() override { force_variant(""); }

  std::string_view device_ = "cpu";
};

// A layer's variants, the best one first.
std::vector<std::string> variants_of(const linked_layer& layer) {
  std::vector<std::string> variants;
  for (const kernel& kernel : layer.kernels) {
    if (variants.empty() || variants.back() != kernel.variant) variants.emplace_back(kernel.variant);
  }
  return variants;
}

std::vector<std::string> linked_variants() {
  std::set<std::string> variants;
  for (const layer_library* library : linked_libraries()) {
    for (const linked_layer& layer : library->layers) {
      for (std::string& variant : variants_of(layer)) variants.insert(std::move(variant));
    }
  }
  return {variants.begin(), variants.end()};
}

TEST_P(kernels, equal_the_reference_in_every_layer_and_width) {
  random_source random(7);
  int layers = 0;
  for (const layer_library* library : linked_libraries()) {
    for (const linked_layer& layer : library->layers) {
      if (device_ == "cpu") {
        ASSERT_EQ(chosen_variant(layer), GetParam());
      }
      ++layers;
      for (const dtype type : {dtype::float16, dtype::float32, dtype::float64}) {
        for (int repeat = 0; repeat < 164; repeat += AXISMASK_TEST_CASE_STEP) {
          SCOPED_TRACE("case " + std::to_string(repeat));
          check_random_case(random, layer, type,
                            repeat < 90    ? manner::small
                            : repeat < 160 ? manner::planned
                                           : manner::large,
                            device_);
          if (HasFatalFailure()) return;
        }
      }
    }
  }
  EXPECT_GE(layers, 9);
}

INSTANTIATE_TEST_SUITE_P(variant, kernels, testing::ValuesIn(linked_variants()),
                         [](const testing::TestParamInfo<std::string>& info) { return info.param; });

TEST(linked, libraries_are_found_without_being_called_by_name) {
  std::vector<std::string_view> names;
  for (const layer_library* library : linked_libraries()) names.push_back(library->name);
  std::sort(names.begin(), names.end());
  EXPECT_EQ(names, (std::vector<std::string_view>{"axismask_layers", "kernel_test_layers"}));
}

TEST(linked, the_best_usable_variant_is_chosen) {
  const linked_layer& layer = *find_linked_layer("ApplyCausalSlidingWindowAttentionMask");
  EXPECT_EQ(variants_of(layer), (std::vector<std::string>{AXISMASK_TEST_VARIANTS}));  // as CMake's list has them
  std::string_view best;
  for (const kernel& kernel : layer.kernels) {
    if (best.empty() && kernel.device == nullptr && is_usable(kernel)) best = kernel.variant;
  }
  EXPECT_EQ(chosen_variant(layer), best);
}

// A processor of a known kind, as an emulator has it, says what it must get.
TEST(linked, the_variant_of_this_processor_is_chosen) {
  const char* expected = std::getenv("AXISMASK_EXPECTED_VARIANT");
  if (expected == nullptr) GTEST_SKIP() << "AXISMASK_EXPECTED_VARIANT is not set";
  for (const layer_library* library : linked_libraries()) {
    for (const linked_layer& layer : library->layers) EXPECT_EQ(chosen_variant(layer), expected);
  }
}

TEST(linked, forcing_a_variant_that_is_not_there_says_what_is) {
  std::vector<std::string> variants;  // the processor's
  for (const kernel& kernel : find_linked_layer("ApplyCausalSlidingWindowAttentionMask")->kernels) {
    if (kernel.device == nullptr && (variants.empty() || variants.back() != kernel.variant)) {
      variants.emplace_back(kernel.variant);
    }
  }
  const std::string near = variants.back() + "x";
  try {
    force_variant(near);
    FAIL();
  } catch (const error& problem) {
    std::string all;
    for (const std::string& one : variants) all += (all.empty() ? "\"" : ", \"") + one + "\"";
    EXPECT_EQ(problem.what(), "axismask: error[variant-unknown] variant: no linked kernel is called \"" + near +
                                  "\" (did you mean \"" + variants.back() + "\"?); take one of " + all);
  }
}

TEST(linked, forcing_a_variant_that_this_processor_cannot_run_says_so) {
  for (const kernel& kernel : find_linked_layer("ApplyCausalSlidingWindowAttentionMask")->kernels) {
    if (kernel.device != nullptr || is_usable(kernel)) continue;
    try {
      force_variant(kernel.variant);
      FAIL();
    } catch (const error& problem) {
      EXPECT_EQ(problem.what(), "axismask: error[variant-unusable] variant: this machine cannot run \"" +
                                    std::string(kernel.variant) + "\", which is made for " +
                                    std::string(kernel.target) + "; take one that `axismask kernels` calls usable");
    }
  }
}

}  // namespace
}  // namespace axismask
