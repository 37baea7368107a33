// Random calls of every kernel that masks (random_call.hpp), compared with the reference.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "axismask/call/call.hpp"
#include "axismask/linked.hpp"
#include "axismask/plan.hpp"
#include "random_call.hpp"

namespace axismask {
namespace {

using namespace test;  // NOLINT(google-build-using-namespace): random calls

// Small logits go through the kernel whole; of larger ones, tiles are looked for. With a plan, small ones have tiles
// too.
enum class manner { small, large, planned };

// One random call of a layer, checked in full, the memory around the result included.
void check_random_case(random_source& random, const linked_layer& layer, dtype type, manner how,
                       std::string_view device) {
  const std::vector<named_axis> axes = random_axes(random, how == manner::large);
  test_array logits = make_array(random, axes, type, pick(random, 0, 3) == 0);
  fill_with_random_bytes(random, logits);

  const random_call call(random, layer, axes);

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
  const element_offsets logits_at(logits, axes);
  const element_offsets wanted_at(want, axes);
  for_each_index(axes, [&](const std::vector<std::int64_t>& index) {
    const std::byte* from = logits.memory.data() + logits_at(index);
    std::byte* to = want.memory.data() + wanted_at(index);
    std::memcpy(to, call.keeps(index) ? static_cast<const void*>(from) : &masked, width);
  });

  call_options options;
  options.threads = static_cast<int>(pick(random, 1, 3));
  options.device = device;
  std::optional<tile_plan> tiles;
  if (how == manner::planned) {
    try {
      tiles = plan(call.values, {pick(random, 1, 40), pick(random, 1, 40)}, call.inputs);
      options.plan = &*tiles;
    } catch (const error& problem) {
      ASSERT_EQ(problem.id(), "plan-axes");  // nothing tells how many queries or keys there are
    }
  }
  apply(call.values, logits.view(), in_place ? logits.view() : out.view(), call.inputs, options);
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
  // A device that the processor plays takes ten times as long as the processor itself.
  const int step = device_ == "cpu" ? AXISMASK_TEST_CASE_STEP : 4;
  for (const layer_library* library : linked_libraries()) {
    for (const linked_layer& layer : library->layers) {
      if (device_ == "cpu") {
        ASSERT_EQ(chosen_variant(layer), GetParam());
      }
      ++layers;
      for (const dtype type : {dtype::float16, dtype::float32, dtype::float64}) {
        for (int repeat = 0; repeat < 164; repeat += step) {
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
