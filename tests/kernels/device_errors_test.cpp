// What is wrong with a call on a device, and what a device cannot do, word by word.
#include <HalideRuntime.h>
#include <HalideRuntimeOpenCL.h>
#include <dlfcn.h>
#include <gtest/gtest.h>

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "axismask/layers.hpp"
#include "axismask/linked.hpp"
#include "axismask/plan.hpp"
#include "devices.hpp"

namespace axismask::test {
namespace {

std::string error_of(const auto& call) {
  try {
    call();
  } catch (const error& problem) {
    return problem.what();
  }
  return "no error";
}

struct small_call {
  std::array<float, 4> logits{1, 2, 3, 4};
  std::array<std::int32_t, 2> positions{0, 1};
  layer_values values{&layer_type_of<window>, masked_value(0), {}};

  small_call() {
    for (std::size_t index = 0; index < values.type->attributes.size(); ++index) {
      values.attributes[index].name = values.type->attributes[index].default_name;
      values.attributes[index].number = 1;
    }
  }
  [[nodiscard]] any_view view() { return {logits.data(), dtype::float32, {{"seq", 2, 2}, {"kv_seq", 2, 1}}}; }
  [[nodiscard]] side_input input() {
    return {"token_positions", any_view(positions.data(), dtype::int32, {{"seq", 2, 1}})};
  }
  std::string error_with(const any_view& from, const any_view& to, std::string_view device, const side_input& given) {
    return error_of([&] { apply(values, from, to, std::array<side_input, 1>{given}, {.device = device}); });
  }
};

TEST(device_errors, what_is_not_linked_or_cannot_be_used) {
  small_call call;
  std::string list = "\"cpu\"";
  for (const std::string& one : linked_devices()) list += ", \"" + one + "\"";
  EXPECT_EQ(
      call.error_with(call.view(), call.view(), "cudo", call.input()),
      "axismask: error[device-unknown] device: there is no device \"cudo\" (did you mean \"cuda\"?); there are " +
          list +
          "; take one of these, or auto; each device's kernels are a library of their own, axismask::layers_DEVICE");
  for (const kernel& kernel : layer_of(layer_type_of<window>.name).kernels) {
    if (kernel.device == nullptr || is_usable(kernel)) continue;
    EXPECT_EQ(call.error_with(call.view(), call.view(), kernel.variant, call.input()),
              "axismask: error[device-unusable] device: \"" + std::string(kernel.variant) + "\" cannot be used here: " +
                  device_problem(kernel) + "; take cpu, or auto; `axismask kernels` shows what can be used");
    if (kernel.variant == "cuda" && ::dlopen("libcuda.so.1", RTLD_NOW) == nullptr) {
      EXPECT_EQ(device_problem(kernel), "there is no libcuda.so.1, which comes with the driver of an NVIDIA card");
    }
  }
  EXPECT_EQ(call.logits, (std::array<float, 4>{1, 2, 3, 4}));
}

TEST(device_errors, arrays_that_are_not_where_they_must_be) {
  small_call call;
  const side_input there{"token_positions", call.input().array.in_device_memory()};
  EXPECT_EQ(call.error_with(call.view().in_device_memory(), call.view(), "auto", call.input()),
            "axismask: error[device-memory] out: the logits are in a device's memory, and it is not; give both in the "
            "same memory");
  EXPECT_EQ(call.error_with(call.view(), call.view().in_device_memory(), "auto", call.input()),
            "axismask: error[device-memory] out: it is in a device's memory, and the logits are not; give both in the "
            "same memory");
  EXPECT_EQ(call.error_with(call.view().in_device_memory(), call.view().in_device_memory(), "cpu", call.input()),
            "axismask: error[device-memory] logits: it is in a device's memory, and the call is for the processor; "
            "name the device in call_options::device, or give memory of the host");
  EXPECT_EQ(call.error_with(call.view(), call.view(), "cpu", there),
            "axismask: error[device-memory] token_positions: it is in a device's memory, and the call is for the "
            "processor; name the device in call_options::device, or give memory of the host");
}

TEST_P(devices, rules_for_empty_rows_are_carried_out_on_arrays_of_the_host) {
  // The first query is padding, as is the first key.
  small_call call;
  call.positions = {-1, 0};
  call.values.empty_rows = empty_row_rule::keep_self;
  EXPECT_EQ(call.error_with(call.view(), call.view(), GetParam(), call.input()), "no error");
  EXPECT_EQ(call.logits, (std::array<float, 4>{1, 0, 0, 4}));

  device_vector there(interface(), std::vector<float>(4, 1.0F));
  const any_view view = any_view(there.data(), dtype::float32, {{"seq", 2, 2}, {"kv_seq", 2, 1}}).in_device_memory();
  EXPECT_EQ(call.error_with(view, view, GetParam(), call.input()),
            "axismask: error[device-memory] logits: it is in a device's memory, and the layer's empty_rows is "
            "\"keep_self\", for which the processor must see it; give memory of the host, or a layer whose empty_rows "
            "is \"masked\"");

  call.values.empty_rows = empty_row_rule::error;
  EXPECT_EQ(call.error_with(view, view, GetParam(), call.input()).substr(0, 27), "axismask: error[empty-row] ");
  EXPECT_EQ(there.fetch(), std::vector<float>(4, 1.0F));
}

TEST_P(devices, positions_in_their_memory_are_checked_before_they_are_fetched) {
  small_call call;
  device_vector positions(interface(), std::vector<std::int32_t>{0, 1});
  const auto error_for = [&](std::int64_t size) {
    const any_view given = any_view(positions.data(), dtype::int32, {{"seq", size, 1}}).in_device_memory();
    return call.error_with(call.view(), call.view(), GetParam(), {"token_positions", given});
  };
  EXPECT_EQ(error_for(-1),
            "axismask: error[axis-size] token_positions: its axis \"seq\" has size -1; give sizes of at least 0");
  EXPECT_EQ(
      error_for(std::int64_t{1} << 40),
      "axismask: error[axis-size] token_positions: its axis \"seq\" has size 1099511627776, and that of the logits "
      "has 2; give one element for each index of the logits' axis");
  EXPECT_EQ(error_for(2), "no error");
}

TEST_P(devices, strides_that_reach_before_a_memory_without_addresses) {
  if (GetParam() != "opencl") GTEST_SKIP() << "memory of CUDA has addresses";
  small_call call;
  device_vector logits(interface(), std::vector<float>(4, 1.0F));
  const any_view backwards =
      any_view(logits.data(), dtype::float32, {{"seq", 2, -2}, {"kv_seq", 2, 1}}).in_device_memory();
  EXPECT_EQ(call.error_with(backwards, backwards, GetParam(), call.input()),
            "axismask: error[device-memory] logits: it has a negative stride, so that it reaches before the start of "
            "its memory in the device; give an array that starts with its lowest address");
}

TEST_P(devices, a_plan_cannot_be_compared_with_a_mask_in_their_memory) {
  small_call call;
  tile_plan tiles = plan(call.values, {}, {call.input()});
  const layer_values values = explicit_values(0);
  device_vector mask(interface(), std::vector<std::uint8_t>(4, 1));
  const std::array<side_input, 1> inputs{
      {{"mask", any_view(mask.data(), dtype::boolean, {{"seq", 2, 2}, {"kv_seq", 2, 1}}).in_device_memory()}}};
  call_options options = on_device();
  options.plan = &tiles;
  EXPECT_EQ(error_of([&] { apply(values, call.view(), call.view(), inputs, options); }),
            "axismask: error[plan-differs] plan: \"mask\" is in a device's memory, so the two cannot be compared; call "
            "without a plan, or give the mask in memory of the host");
}

// A device's kernel that fails as Halide's do.
int failing_kernel(void** arguments) {
  halide_error(*static_cast<void**>(arguments[0]), "CL: clEnqueueNDRangeKernel failed: CL_OUT_OF_RESOURCES\n");
  return halide_error_code_gpu_device_error;
}
constexpr layer_type failing_type = [] {
  layer_type type = layer_type_of<window>;
  type.name = "FailingOnDevice";
  return type;
}();
constexpr kernel failing_kernels[] = {{"opencl",
                                       "x86-64-linux-opencl",
                                       {0, 0},
                                       0,
                                       operation::mask,
                                       4,
                                       8,
                                       false,
                                       halide_opencl_device_interface,
                                       failing_kernel}};
constexpr linked_layer failing_layers[] = {{&failing_type, failing_kernels}};
constexpr layer_library failing_library{"failing", failing_layers};
AXISMASK_LINKED_LIBRARY const layer_library* const failing_entry = &failing_library;

TEST_P(devices, a_failure_is_an_error_and_changes_nothing) {
  if (GetParam() != "opencl") GTEST_SKIP() << "the failing kernel is one of OpenCL";
  small_call call;
  call.values.type = &failing_type;
  EXPECT_EQ(call.error_with(call.view(), call.view(), GetParam(), call.input()),
            "axismask: error[device-failed] opencl: its kernel gave code -29 (CL: clEnqueueNDRangeKernel failed: "
            "CL_OUT_OF_RESOURCES); see that the device has memory to spare and that the arrays are its own, or compute "
            "with cpu");
  EXPECT_EQ(call.logits, (std::array<float, 4>{1, 2, 3, 4}));
}

}  // namespace
}  // namespace axismask::test
