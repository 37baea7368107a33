// What a call does besides the mask: errors with their exact texts and nothing written, static calls, positions of two
// widths, masked values of every dtype, and kernels that fail.
#include <HalideRuntime.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <limits>
#include <numeric>
#include <string>
#include <utility>
#include <vector>

#include "axismask/layers.hpp"
#include "axismask/linked.hpp"
#include "axismask/plan.hpp"
#include "layers.hpp"

namespace axismask {
namespace {

using Local = ApplyCausalSlidingWindowAttentionMask<>;

constexpr std::int64_t tokens = 4;

// Logits of ones over heads, seq, kv_seq; positions 0, 1, 2, 3.
class apply_test : public testing::Test {
 protected:
  apply_test() {
    std::fill_n(logits.data(), logits.element_count(), 1.0F);
    for (std::int32_t token = 0; token < tokens; ++token) positions(token) = token;
    const layer_type& type = layer_type_of<Local>;
    for (std::size_t index = 0; index < type.attributes.size(); ++index) {
      values.attributes[index].name = type.attributes[index].default_name;
    }
    values.attributes[1].number = 2;
  }

  // The text of the error that the call gives; the logits must be as they were.
  std::string error_of(const any_view& x, const any_view& out, const std::vector<side_input>& inputs) {
    try {
      apply(values, x, out, inputs);
    } catch (const error& problem) {
      for (std::size_t at = 0; at < logits.element_count(); ++at) EXPECT_EQ(logits.data()[at], 1.0F);
      return problem.what();
    }
    return "no error";
  }
  std::string error_of(const any_view& x, const std::vector<side_input>& inputs) { return error_of(x, x, inputs); }

  any_view with_axes(std::initializer_list<named_axis> axes) { return {logits.data(), dtype::float32, axes}; }
  side_input input_at(dtype type, std::initializer_list<named_axis> axes) {
    return {"token_positions", any_view(positions.data(), type, axes)};
  }

  named_array<float, axes<"heads", "seq", "kv_seq">> logits{{2, tokens, tokens}};
  named_array<std::int32_t, axes<"seq">> positions{{tokens}};
  layer_values values{&layer_type_of<Local>, -1e9, {}};
  side_input good{"token_positions", positions.view().erased()};
};

TEST_F(apply_test, says_what_is_wrong_with_the_logits) {
  EXPECT_EQ(error_of(with_axes({{"heads", 2, 16}, {"sek", 4, 4}, {"kv_seq", 4, 1}}), {good}),
            "axismask: error[axis-missing] logits: the logits have no axis \"seq\"; they have \"heads\", \"sek\", "
            "\"kv_seq\"; "
            "rename \"sek\" to \"seq\", or set the layer's seq_axis to \"sek\"");
  EXPECT_EQ(error_of(with_axes({{"seq", 2, 16}, {"seq", 4, 4}, {"kv_seq", 4, 1}}), {good}),
            "axismask: error[axis-twice] logits: it has the axis \"seq\" twice; rename one of the two");
  EXPECT_EQ(error_of(with_axes({{"seq", -2, 16}, {"kv_seq", 4, 1}}), {good}),
            "axismask: error[axis-size] logits: its axis \"seq\" has size -2; give sizes of at least 0");
  EXPECT_EQ(
      error_of({logits.data(), dtype::int32, {{"seq", 4, 4}, {"kv_seq", 4, 1}}}, {good}),
      "axismask: error[logits-dtype] logits: logits are floats, and this array holds int32; give float16, bfloat16, "
      "float32 or float64");
  EXPECT_EQ(error_of({nullptr, dtype::float32, {{"seq", 4, 4}, {"kv_seq", 4, 1}}}, {good}),
            "axismask: error[array-null] logits: it has elements and no memory; give a pointer to its first element");
}

TEST_F(apply_test, says_what_is_wrong_with_a_side_input) {
  const any_view x = logits.view().erased();
  const auto* const bytes = reinterpret_cast<const std::byte*>(positions.data());
  EXPECT_EQ(error_of(x, {{"token_positions", any_view(bytes + 3, dtype::int32, {{"seq", 3}})}}),
            "axismask: error[array-alignment] token_positions: its address is 3 more than a multiple of an element's 4 "
            "bytes; give memory that is aligned for its elements");
  EXPECT_EQ(error_of(x, {}),
            "axismask: error[side-input-missing] token_positions: the side input \"token_positions\" is missing; "
            "given: none; "
            "give it, or set the layer's query_positions_input_name");
  EXPECT_EQ(
      error_of(x, {{"token_position", good.array}}),
      "axismask: error[side-input-unknown] token_position: there is no side input \"token_position\"; the layer takes "
      "\"token_positions\" (did you mean \"token_positions\"?); leave it out, or give it the name that the layer uses");
  EXPECT_EQ(error_of(x, {{"", good.array}}),
            "axismask: error[side-input-unknown] \"\": there is no side input \"\"; the layer takes "
            "\"token_positions\"; leave it out, or give it the name that the layer uses");
  EXPECT_EQ(error_of(x, {good, good}),
            "axismask: error[side-input-twice] token_positions: the side input \"token_positions\" is given twice; "
            "leave one of "
            "them out");
  EXPECT_EQ(error_of(x, {input_at(dtype::float32, {{"seq", 4, 1}})}),
            "axismask: error[positions-dtype] token_positions: positions are integers, and this array holds float32; "
            "give int32 "
            "or int64");
  EXPECT_EQ(error_of(x, {input_at(dtype::int32, {{"heads", 2, 1}})}),
            "axismask: error[axis-missing] token_positions: it has no axis \"seq\"; it has \"heads\"; positions of "
            "queries need the layer's seq_axis");
  EXPECT_EQ(
      error_of(x, {input_at(dtype::int32, {{"seq", 4, 1}, {"head", 2, 0}})}),
      "axismask: error[axis-foreign] token_positions: its axis \"head\" is none of the logits'; they have \"heads\", "
      "\"seq\", \"kv_seq\" (did you mean \"heads\"?); rename the axis, or take it out of the array");
  EXPECT_EQ(
      error_of(x, {input_at(dtype::int32, {{"seq", 3, 1}})}),
      "axismask: error[axis-size] token_positions: its axis \"seq\" has size 3, and that of the logits has 4; give one "
      "element for each index of the logits' axis");
  EXPECT_EQ(error_of(x, {input_at(dtype::int32, {{"seq", 4, 1}, {"kv_seq", 4, 0}})}),
            "axismask: error[axis-twice] token_positions: positions of keys have the axis \"seq\", read as "
            "\"kv_seq\", and \"kv_seq\" too; leave one of the two out");
  const any_view longer(logits.data(), dtype::float32, {{"seq", 4, 8}, {"kv_seq", 5, 1}});
  EXPECT_EQ(error_of(longer, {good}),
            "axismask: error[axis-size] token_positions: its axis \"seq\" has size 4, and that of the logits, "
            "\"kv_seq\", has 5; "
            "give one element for each index of the logits' axis");
}

TEST_F(apply_test, positions_of_keys_lie_along_either_axis) {
  const ApplyCausalSlidingWindowAttentionMask<count, "q", "k"> cached{.masked_out_value = -1e9,
                                                                      .sliding_window_size = 2};
  named_array<std::int32_t, axes<"kv_seq">> keys({tokens});
  std::copy_n(positions.data(), tokens, keys.data());
  const auto wanted = cached(logits, input<"q">(positions), input<"k">(positions));
  const auto same = [&wanted](const auto& found) {
    return std::equal(wanted.data(), wanted.data() + wanted.element_count(), found.data());
  };
  EXPECT_FALSE(same(logits));
  EXPECT_TRUE(same(cached(logits, input<"q">(positions), input<"k">(keys))));

  // With names that are known at run time.
  values.attributes[2].name = "q";
  values.attributes[3].name = "k";
  named_array<float, axes<"heads", "seq", "kv_seq">> out({2, tokens, tokens});
  apply(values, logits, out, std::array{side_input{"q", positions}, side_input{"k", keys}});
  EXPECT_TRUE(same(out));
  const tile_plan along_keys = plan(values, {2, 2}, {{"q", positions}, {"k", keys}});
  const tile_plan along_seq = plan(values, {2, 2}, {{"q", positions}, {"k", positions}});
  EXPECT_EQ(along_keys.columns, 2);
  EXPECT_EQ(along_keys.list_of(verdict::none).tiles, along_seq.list_of(verdict::none).tiles);
  apply(values, logits, out, std::array{side_input{"q", positions}, side_input{"k", keys}}, {.plan = &along_keys});
  EXPECT_TRUE(same(out));

  const std::vector<side_input> neither{{"q", positions},
                                        {"k", any_view(keys.data(), dtype::int32, {{"keys", tokens}})}};
  EXPECT_EQ(error_of(logits, neither),
            "axismask: error[axis-missing] k: it has no axis \"kv_seq\" or \"seq\"; it has \"keys\"; positions of keys "
            "need the layer's kv_seq_axis or, as in penzai, its seq_axis");
}

TEST_F(apply_test, writes_to_no_constant_array) {
  const std::string text =
      "axismask: error[result-const] out: its elements are const; give an array that can be written";
  const named_view<const float, axes<"heads", "seq", "kv_seq">> constant = logits.view();
  EXPECT_EQ(error_of(constant, {good}), text);
  EXPECT_EQ(error_of(logits, std::as_const(logits), {good}), text);
  const void* const memory = logits.data();
  EXPECT_EQ(error_of(any_view(memory, dtype::float32, {{"seq", 4}, {"kv_seq", 4}}), {good}), text);
}

TEST_F(apply_test, says_what_is_wrong_with_the_result) {
  const any_view x = logits.view().erased();
  std::vector<float> memory(64);
  EXPECT_EQ(error_of(x, {memory.data(), dtype::float64, x.axes()}, {good}),
            "axismask: error[result-dtype] out: it holds float64, and the logits float32; give an array of the logits' "
            "dtype");
  EXPECT_EQ(
      error_of(x, {memory.data(), dtype::float32, {{"seq", 4, 4}, {"kv_seq", 4, 1}}}, {good}),
      "axismask: error[result-axes] out: it has no axis \"heads\"; it has \"seq\", \"kv_seq\"; give an array with the "
      "logits' axes, in any order");
  // Repeated, and in rows that begin within the one before: by two axes together, and backwards.
  for (const std::array<std::int64_t, 3>& strides :
       {std::array<std::int64_t, 3>{0, 4, 1}, {16, 3, 1}, {15, 4, 1}, {2, 8, 2}, {16, -3, 1}, {1, 2, 4}}) {
    EXPECT_EQ(error_of(x,
                       {memory.data() + 12,
                        dtype::float32,
                        {{"heads", 2, strides[0]}, {"seq", 4, strides[1]}, {"kv_seq", 4, strides[2]}}},
                       {good}),
              "axismask: error[result-overlap] out: several of its elements lie in one place; give an array whose "
              "strides keep "
              "its elements apart");
  }
  const std::string overlaps =
      "axismask: error[result-overlap] out: it overlaps the logits without being the same array; give memory of its "
      "own, or the logits themselves to mask in place";
  EXPECT_EQ(error_of(x, {logits.data() + 1, dtype::float32, x.axes()}, {good}), overlaps);
  EXPECT_EQ(error_of(x, {logits.data(), dtype::float32, {{"heads", 2, 16}, {"seq", 4, 1}, {"kv_seq", 4, 4}}}, {good}),
            overlaps);
  EXPECT_EQ(error_of(x, {memory.data(), dtype::float32, {{"seq", 4, 4}, {"seq", 4, 1}}}, {good}),
            "axismask: error[axis-twice] out: it has the axis \"seq\" twice; rename one of the two");
  // The same array, whose only batch has another stride.
  EXPECT_EQ(error_of({memory.data(), dtype::float32, {{"batch", 1, 7}, {"seq", 4, 4}, {"kv_seq", 4, 1}}},
                     {memory.data(), dtype::float32, {{"batch", 1, 9}, {"seq", 4, 4}, {"kv_seq", 4, 1}}}, {good}),
            "no error");
  // Beside each other, the result before or behind: no element is in both.
  for (const std::ptrdiff_t first : {0, 32}) {
    EXPECT_EQ(error_of({memory.data() + first, dtype::float32, x.axes()},
                       {memory.data() + (32 - first), dtype::float32, x.axes()}, {good}),
              "no error");
  }
}

TEST_F(apply_test, says_when_a_masked_value_does_not_fit) {
  values.masked_out_value = -2.3819763e38;
  EXPECT_EQ(
      error_of({logits.data(), dtype::float16, {{"seq", 4, 4}, {"kv_seq", 4, 1}}}, {good}),
      "axismask: error[masked-value-range] masked_out_value: -2.3819763e+38 does not fit float16 and would become "
      "infinite there; take \"lowest\" for the lowest number of the logits' dtype, or \"-inf\" if that is meant");
  EXPECT_EQ(error_of({logits.data(), dtype::float32, {{"seq", 4, 4}, {"kv_seq", 4, 1}}}, {good}), "no error");
}

TEST_F(apply_test, says_when_a_window_is_below_1) {
  const any_view x = logits.view().erased();
  values.attributes[1].number = 0;
  EXPECT_EQ(error_of(x, {good}),
            "axismask: error[parameter-value] sliding_window_size: it is 0; give a whole number of at least 1, which "
            "sees the "
            "token itself only; for no window use ApplyCausalAttentionMask");
  std::array<std::int64_t, 2> windows{3, -1};
  const any_view by_head(windows.data(), dtype::int64, {{"heads", 2, 1}});
  values.attributes[1].numbers = &by_head;
  EXPECT_EQ(error_of(x, {good}),
            "axismask: error[parameter-value] sliding_window_size: it is -1; give a whole number of at least 1, which "
            "sees the "
            "token itself only; for no window use ApplyCausalAttentionMask");
}

TEST_F(apply_test, says_when_a_layer_has_no_kernel) {
  layer_type unlinked = layer_type_of<Local>;
  unlinked.name = "Elsewhere";
  values.type = &unlinked;
  EXPECT_EQ(error_of(logits.view().erased(), {good}),
            "axismask: error[kernel-missing] Elsewhere: no kernel of this layer is linked into the program; name it in "
            "AXISMASK_LAYERS of a header given to axismask_add_layers, and link that library");
}

TEST_F(apply_test, an_error_has_parts) {
  try {
    apply(values, logits.view().erased(), logits.view().erased(), {});
    FAIL();
  } catch (const error& problem) {
    EXPECT_EQ(problem.id(), "side-input-missing");
    EXPECT_EQ(problem.where(), "token_positions");
    EXPECT_EQ(problem.what_is_wrong(), "the side input \"token_positions\" is missing; given: none");
    EXPECT_EQ(problem.cure(), "give it, or set the layer's query_positions_input_name");
  }
}

// One element masked to a value: its bits.
template <class Bits>
Bits masked_to(masked_value value, dtype type) {
  Bits logit = 1;
  std::int32_t query = 0;
  std::int32_t key = 1;  // after the query
  const layer_type& layer = layer_type_of<ApplyCausalAttentionMask<"q", "k">>;
  layer_values values{&layer, value, {}};
  for (std::size_t index = 0; index < layer.attributes.size(); ++index) {
    values.attributes[index].name = layer.attributes[index].default_name;
  }
  const any_view x(&logit, type, {{"seq", 1, 1}, {"kv_seq", 1, 1}});
  const std::array<side_input, 2> inputs{
      {{"q", any_view(&query, dtype::int32, {{"seq", 1, 1}})}, {"k", any_view(&key, dtype::int32, {{"seq", 1, 1}})}}};
  apply(values, x, x, inputs);
  return logit;
}

TEST(masked_value, becomes_the_bits_of_each_dtype) {
  EXPECT_EQ(masked_to<std::uint16_t>(masked_value::lowest(), dtype::float16), 0xFBFF);
  EXPECT_EQ(masked_to<std::uint16_t>(masked_value::lowest(), dtype::bfloat16), 0xFF7F);
  EXPECT_EQ(masked_to<std::uint32_t>(masked_value::lowest(), dtype::float32), 0xFF7FFFFF);
  EXPECT_EQ(masked_to<std::uint64_t>(masked_value::lowest(), dtype::float64), 0xFFEFFFFFFFFFFFFF);
  EXPECT_EQ(masked_to<std::uint16_t>(masked_value::minus_infinity(), dtype::float16), 0xFC00);
  EXPECT_EQ(masked_to<std::uint16_t>(masked_value::minus_infinity(), dtype::bfloat16), 0xFF80);
  EXPECT_EQ(masked_to<std::uint32_t>(masked_value::minus_infinity(), dtype::float32), 0xFF800000);
  EXPECT_EQ(masked_to<std::uint64_t>(masked_value::minus_infinity(), dtype::float64), 0xFFF0000000000000);
  EXPECT_EQ(masked_to<std::uint16_t>(-1.0, dtype::float16), 0xBC00);
  EXPECT_EQ(masked_to<std::uint16_t>(-1.0, dtype::bfloat16), 0xBF80);
  EXPECT_EQ(masked_to<std::uint16_t>(0.0, dtype::float16), 0x0000);
  EXPECT_EQ(masked_to<std::uint16_t>(-0.0, dtype::float16), 0x8000);
  EXPECT_EQ(masked_to<std::uint16_t>(-65504.0, dtype::float16), 0xFBFF);
  EXPECT_EQ(masked_to<std::uint16_t>(-65519.9, dtype::float16), 0xFBFF);                // rounds to the lowest
  EXPECT_EQ(masked_to<std::uint16_t>(5.960464477539063e-08, dtype::float16), 0x0001);   // the least subnormal
  EXPECT_EQ(masked_to<std::uint16_t>(2.9802322387695312e-08, dtype::float16), 0x0000);  // half of it: to even
  EXPECT_EQ(masked_to<std::uint16_t>(1.00048828125, dtype::float16), 0x3C00);           // half way up: to even
  EXPECT_EQ(masked_to<std::uint16_t>(1.00146484375, dtype::float16), 0x3C02);
  const double nan = std::numeric_limits<double>::quiet_NaN();
  EXPECT_EQ(masked_to<std::uint16_t>(nan, dtype::float16), 0x7E00);
  EXPECT_EQ(masked_to<std::uint16_t>(nan, dtype::bfloat16), 0x7FC0);
  EXPECT_EQ(masked_to<std::uint32_t>(nan, dtype::float32), 0x7FC00000);
  EXPECT_EQ(masked_to<std::uint64_t>(nan, dtype::float64), 0x7FF8000000000000);
  EXPECT_THROW((void)masked_to<std::uint16_t>(-65520.0, dtype::float16), error);
}

TEST(masked_value, rounds_as_the_processor_does) {
  std::uint64_t bits = 1;
  for (int at = 0; at < 200000; ++at) {
    bits = bits * 6364136223846793005U + 1442695040888963407U;
    double number = 0;
    std::memcpy(&number, &bits, sizeof number);
    const auto expected = static_cast<float>(number);
    if (std::isnan(number) || std::isinf(expected)) continue;
    std::uint32_t expected_bits = 0;
    std::memcpy(&expected_bits, &expected, sizeof expected);
    ASSERT_EQ(masked_to<std::uint32_t>(number, dtype::float32), expected_bits) << number;
    ASSERT_EQ(masked_to<std::uint64_t>(number, dtype::float64), bits) << number;
  }
}

// Heads innermost, and read with a stride that makes them lie over the next key's; tiles of all and of none among them.
TEST(apply, reads_logits_that_lie_over_each_other) {
  constexpr std::int64_t heads = 2;
  constexpr std::int64_t length = 256;
  std::vector<float> memory(2 * length * length + 2 * heads);
  std::iota(memory.begin(), memory.end(), 0.0F);
  std::vector<float> result(heads * length * length);
  std::vector<std::int32_t> at(length);
  std::iota(at.begin(), at.end(), 0);
  const ApplyCausalSlidingWindowAttentionMask<> local{.masked_out_value = -1, .sliding_window_size = 150};
  const std::array<side_input, 1> inputs{
      {{"token_positions", any_view(at.data(), dtype::int32, {{"seq", length, 1}})}}};
  with_values(local, [&](const layer_values& values) {
    apply(values,
          any_view(memory.data(), dtype::float32,
                   {{"seq", length, 2 * length}, {"kv_seq", length, 2}, {"heads", heads, 2}}),
          any_view(result.data(), dtype::float32,
                   {{"seq", length, 2 * length}, {"kv_seq", length, 2}, {"heads", heads, 1}}),
          inputs);
    return 0;
  });
  for (std::int64_t query = 0; query < length; ++query) {
    for (std::int64_t key = 0; key < length; ++key) {
      for (std::int64_t head = 0; head < heads; ++head) {
        const std::int64_t place = 2 * (query * length + key);
        const float want = key <= query && query - key < 150 ? static_cast<float>(place + 2 * head) : -1.0F;
        ASSERT_EQ(result[static_cast<std::size_t>(place + head)], want) << query << " " << key << " " << head;
      }
    }
  }
}

TEST_F(apply_test, static_calls_give_the_same_in_and_out_of_place) {
  const Local local{.masked_out_value = -1e9, .sliding_window_size = 2};
  const auto result = local(logits, input<"token_positions">(positions));
  static_assert(std::is_same_v<decltype(result), const named_array<float, axes<"heads", "seq", "kv_seq">>>);
  named_array<float, axes<"kv_seq", "heads", "seq">> turned({tokens, 2, tokens});
  local.apply(logits, turned, input<"token_positions">(positions));
  for (std::size_t at = 0; at < logits.element_count(); ++at) EXPECT_EQ(logits.data()[at], 1.0F);
  local.apply_in_place(logits, input<"token_positions">(positions));
  for (int head = 0; head < 2; ++head) {
    for (int query = 0; query < tokens; ++query) {
      for (int key = 0; key < tokens; ++key) {
        const float want = key == query || key == query - 1 ? 1.0F : -1e9F;
        EXPECT_EQ(result(head, query, key), want);
        EXPECT_EQ(turned(key, head, query), want);
        EXPECT_EQ(logits(head, query, key), want);
      }
    }
  }
}

TEST_F(apply_test, a_window_can_differ_by_head_or_be_a_constant) {
  const std::array<std::int64_t, 2> windows{1, 3};
  const ApplyCausalSlidingWindowAttentionMask<counts_over<axes<"heads">>> by_head{
      .masked_out_value = 0, .sliding_window_size = {windows.data(), {2}}};
  const auto result = by_head(logits, input<"token_positions">(positions));
  const ApplyCausalSlidingWindowAttentionMask<constant<3>> constant_window{.masked_out_value = 0,
                                                                           .sliding_window_size = {}};
  const auto constant_result = constant_window(logits, input<"token_positions">(positions));
  for (int query = 0; query < tokens; ++query) {
    for (int key = 0; key < tokens; ++key) {
      EXPECT_EQ(result(0, query, key), query == key ? 1.0F : 0.0F);
      EXPECT_EQ(result(1, query, key), key <= query && query - key < 3 ? 1.0F : 0.0F);
      EXPECT_EQ(constant_result(0, query, key), result(1, query, key));
    }
  }
}

TEST_F(apply_test, composed_masks_are_called_like_any_other) {
  const ApplyCausalAttentionMask<> causal{.masked_out_value = -1e9};
  const Local window{.masked_out_value = -1e9, .sliding_window_size = 2};
  const ApplySinksAttentionMask<> sinks{.masked_out_value = -1e9, .sink_count = 1};
  const auto streaming = causal & (window | sinks);
  const auto result = streaming(logits, input<"token_positions">(positions));
  const auto outside = causal & !window;
  const auto rest = outside(logits, input<"token_positions">(positions));
  for (int query = 0; query < tokens; ++query) {
    for (int key = 0; key < tokens; ++key) {
      const bool in_window = key <= query && query - key < 2;
      EXPECT_EQ(result(1, query, key), key <= query && (in_window || key == 0) ? 1.0F : -1e9F);
      EXPECT_EQ(rest(1, query, key), key <= query && !in_window ? 1.0F : -1e9F);
    }
  }
  const Local other{.masked_out_value = 0, .sliding_window_size = 2};
  EXPECT_THROW((void)(causal & other), error);
}

TEST_F(apply_test, other_names_for_axes_and_inputs) {
  named_array<float, axes<"q", "k">> x({1, tokens});
  std::fill_n(x.data(), tokens, 1.0F);
  named_array<std::int64_t, axes<"q">> at({1});
  named_array<std::int32_t, axes<"q">> cached({tokens});
  at(0) = (std::int64_t{1} << 40) + 2;  // decode far out: positions of two widths in one call
  for (std::int32_t token = 0; token < tokens; ++token) cached(token) = token == 3 ? -1 : token;
  const ApplyCausalSlidingWindowAttentionMask<count, "query", "cache", "q", "k"> local{
      .masked_out_value = 0, .sliding_window_size = (std::int64_t{1} << 40) + 2};
  const auto result = local(x, input<"query">(at), input<"cache">(cached));
  EXPECT_EQ(result(0, 0), 0.0F);
  EXPECT_EQ(result(0, 1), 1.0F);
  EXPECT_EQ(result(0, 2), 1.0F);
  EXPECT_EQ(result(0, 3), 0.0F);
}

TEST_F(apply_test, the_widest_window_there_is_hides_nothing) {
  const Local widest{.masked_out_value = 0, .sliding_window_size = std::numeric_limits<std::int64_t>::max()};
  named_array<std::int64_t, axes<"seq">> far({tokens});
  for (std::int64_t token = 0; token < tokens; ++token)
    far(token) = std::numeric_limits<std::int64_t>::max() - 3 + token;
  far(0) = 0;
  const auto narrow = widest(logits, input<"token_positions">(positions));
  const auto wide = widest(logits, input<"token_positions">(far));
  for (int query = 0; query < tokens; ++query) {
    for (int key = 0; key < tokens; ++key) {
      EXPECT_EQ(narrow(0, query, key), key <= query ? 1.0F : 0.0F);
      // The seed's own rule at the very end: a distance of 2^63 - 1 is not less than a window of 2^63 - 1.
      EXPECT_EQ(wide(0, query, key),
                key <= query && far(query) - far(key) < std::numeric_limits<std::int64_t>::max() ? 1.0F : 0.0F);
    }
  }
}

TEST_F(apply_test, empty_arrays_give_empty_results) {
  const Local local{.masked_out_value = 0, .sliding_window_size = 2};
  named_array<float, axes<"seq", "kv_seq">> none({0, 0});
  named_array<std::int32_t, axes<"seq">> nowhere({0});
  EXPECT_EQ(local(none, input<"token_positions">(nowhere)).element_count(), 0U);
  apply(values, any_view(nullptr, dtype::float32, {{"seq", 0, 1}, {"kv_seq", 0, 1}}),
        any_view(nullptr, dtype::float32, {{"seq", 0, 1}, {"kv_seq", 0, 1}}),
        std::array<side_input, 1>{{{"token_positions", any_view(nullptr, dtype::int64, {{"seq", 0, 1}})}}});
}

// A kernel that fails as Halide's do: it reports to the error handler and gives a code.
int failing_kernel(void** arguments) {
  void* context = *static_cast<void**>(arguments[0]);
  halide_error(context, "Input buffer logits is accessed at 63, which is beyond the max (7) in dimension 0\n");
  return halide_error_code_access_out_of_bounds;
}
// The local layer by another name, so that it has kernels of its own.
constexpr layer_type local_called(std::string_view name) {
  layer_type type = layer_type_of<Local>;
  type.name = name;
  return type;
}
constexpr layer_type failing_type = local_called("Failing");
constexpr kernel failing_kernels[] = {
    {"always", "x86-64-linux", {0, 0}, 0, operation::mask, 4, 4, false, nullptr, failing_kernel}};
constexpr layer_type incomplete_type = local_called("Incomplete");
// Kernels for elements of 8 bytes and for positions of 8 bytes, but none for 4 and 4.
constexpr kernel incomplete_kernels[] = {
    {"always", "x86-64-linux", {0, 0}, 0, operation::mask, 8, 4, false, nullptr, failing_kernel},
    {"always", "x86-64-linux", {0, 0}, 0, operation::mask, 4, 8, false, nullptr, failing_kernel}};
constexpr linked_layer failing_layers[] = {{&failing_type, failing_kernels}, {&incomplete_type, incomplete_kernels}};
constexpr layer_library failing_library{"failing", failing_layers};
AXISMASK_LINKED_LIBRARY const layer_library* const failing_entry = &failing_library;

std::string* reported = nullptr;

TEST_F(apply_test, a_kernel_that_fails_gives_an_error_and_does_not_end_the_program) {
  values.type = &failing_type;
  EXPECT_EQ(
      error_of(logits.view().erased(), {good}),
      "axismask: error[kernel-failed] Failing: its kernel gave code -4 (Input buffer logits is accessed at 63, which "
      "is "
      "beyond the max (7) in dimension 0); report this with the arrays' axes, sizes and strides: it is a mistake in "
      "axismask");
}

TEST_F(apply_test, says_which_kernel_a_variant_lacks) {
  values.type = &incomplete_type;
  EXPECT_EQ(error_of(logits.view().erased(), {good}),
            "axismask: error[kernel-missing] Incomplete: \"always\" has no kernel of it for elements of 4 bytes and "
            "positions of 4 bytes; build the library of its layers again: axismask_add_layers makes a kernel for every "
            "width");
}

TEST_F(apply_test, errors_of_other_halide_code_go_where_they_went_before) {
  std::string text;
  reported = &text;
  // Whoever comes later takes the handler over, and passes on or not as it likes: here it is the test.
  const halide_error_handler_t ours = halide_set_error_handler([](void*, const char* message) { *reported = message; });
  halide_error(nullptr, "not ours");
  halide_set_error_handler(ours);
  EXPECT_EQ(text, "not ours");
}

}  // namespace
}  // namespace axismask
