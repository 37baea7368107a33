// What a call whose types are known passes through the door to the runtime (call.hpp). Here the runtime is a recorder.
#include "axismask/call/call.hpp"

#include <gtest/gtest.h>

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "axismask/causal.hpp"
#include "axismask/causal_sliding_window.hpp"
#include "axismask/empty_rows.hpp"

// What the calls ask the linker for: this program has no kernels.
extern "C" {
extern const char axismask_kernels_of_ApplyCausalSlidingWindowAttentionMask = 0;
extern const char axismask_kernels_of_ApplyGivenMask = 0;
extern const char axismask_kernels_of_ApplyPaddingQueryMask = 0;
}

namespace axismask {
namespace {

// The arguments of one call. Views that only live as long as the call are copied.
struct record {
  layer_values layer{nullptr, 0, {}};
  std::vector<any_view> numbers;  // of the parameters that have axes
  any_view logits;
  any_view out;
  std::vector<side_input> side_inputs;
};
std::vector<record> calls;

}  // namespace

void apply(const layer_values& layer, const any_view& logits, const any_view& out,
           std::span<const side_input> side_inputs, const call_options&) {
  record call{layer, {}, logits, out, {side_inputs.begin(), side_inputs.end()}};
  for (const attribute_value& value : layer.attributes) {
    if (value.numbers != nullptr) call.numbers.push_back(*value.numbers);
  }
  calls.push_back(call);
}

namespace {

using seed = ApplyCausalSlidingWindowAttentionMask<>;

// An array's axes as `name:size:stride`, outermost first.
std::string shape(const any_view& view) {
  std::string text;
  for (const named_axis& axis : view.axes()) {
    if (!text.empty()) text += " ";
    text += std::string(axis.name) + ":" + std::to_string(axis.size) + ":" + std::to_string(axis.stride);
  }
  return text;
}

class Call : public testing::Test {
 protected:
  Call() { calls.clear(); }

  // The one call that was made.
  static const record& made() {
    EXPECT_EQ(calls.size(), 1U);
    return calls.at(0);
  }

  named_array<float, axes<"heads", "seq", "kv_seq">> logits_{{4, 2, 8}};
  named_array<std::int32_t, axes<"seq">> positions_{{2}};
  seed layer_{.masked_out_value = -2.3819763e38, .sliding_window_size = 512};
};

TEST_F(Call, GivesANewArrayLikeTheLogits) {
  const auto out = layer_(logits_, input<"token_positions">(positions_));
  static_assert(std::is_same_v<decltype(out), const named_array<float, axes<"heads", "seq", "kv_seq">>>);
  EXPECT_EQ(out.view().sizes(), logits_.view().sizes());
  EXPECT_EQ(made().out.data(), out.data());
  EXPECT_EQ(shape(made().out), "heads:4:16 seq:2:8 kv_seq:8:1");
  EXPECT_EQ(made().out.type(), dtype::float32);
  EXPECT_EQ(made().logits.data(), logits_.data());
  EXPECT_EQ(shape(made().logits), "heads:4:16 seq:2:8 kv_seq:8:1");
}

TEST_F(Call, OfConstLogitsGivesAnArrayThatIsNot) {
  const auto& logits = logits_;
  auto out = layer_(logits, input<"token_positions">(positions_));
  static_assert(std::is_same_v<decltype(out)::element_type, float>);
  auto of_view = layer_(logits.view(), input<"token_positions">(positions_));
  static_assert(std::is_same_v<decltype(of_view), decltype(out)>);
  EXPECT_EQ(calls.size(), 2U);
}

TEST_F(Call, GivesADenseArrayForLogitsThatAreNot) {
  const named_view<const float, axes<"seq", "kv_seq">> every_other(logits_.data(), {2, 4}, {8, 2});
  const auto out = layer_(every_other, input<"token_positions">(positions_));
  EXPECT_EQ(shape(made().logits), "seq:2:8 kv_seq:4:2");
  EXPECT_EQ(shape(made().out), "seq:2:4 kv_seq:4:1");
}

TEST_F(Call, PassesTheRuleForEmptyRows) {
  (void)layer_(logits_, input<"token_positions">(positions_));
  EXPECT_EQ(calls.at(0).layer.empty_rows, empty_row_rule::masked);
  const auto keeping = with_empty_rows<empty_row_rule::keep_self>(layer_);
  (void)keeping(logits_, input<"token_positions">(positions_));
  keeping.apply_in_place(call_options{.threads = 3}, logits_, input<"token_positions">(positions_));
  for (const std::size_t at : {std::size_t{1}, std::size_t{2}}) {
    EXPECT_EQ(calls.at(at).layer.empty_rows, empty_row_rule::keep_self);
    EXPECT_EQ(calls.at(at).layer.type, &layer_type_of<seed>);
    EXPECT_EQ(calls.at(at).layer.attributes[1].number, 512);
  }
}

TEST_F(Call, PassesTheAttributesInTheirOrder) {
  (void)layer_(logits_, input<"token_positions">(positions_));
  const layer_values& values = made().layer;
  EXPECT_EQ(values.type, &layer_type_of<seed>);
  EXPECT_EQ(values.masked_out_value.means(), masked_value::meaning::number);
  EXPECT_EQ(values.masked_out_value.number(), -2.3819763e38);
  EXPECT_EQ(values.attributes[1].number, 512);
  EXPECT_EQ(values.attributes[1].numbers, nullptr);
  EXPECT_EQ(values.attributes[2].name, "token_positions");
  EXPECT_EQ(values.attributes[3].name, "token_positions");
  EXPECT_EQ(values.attributes[4].name, "seq");
  EXPECT_EQ(values.attributes[5].name, "kv_seq");
  EXPECT_EQ(made().numbers.size(), 0U);
}

TEST_F(Call, PassesAMaskedValueThatIsAskedForByName) {
  const seed lowest{.masked_out_value = masked_value::lowest(), .sliding_window_size = 1};
  lowest.apply_in_place(logits_, input<"token_positions">(positions_));
  EXPECT_EQ(made().layer.masked_out_value.means(), masked_value::meaning::lowest);
}

TEST_F(Call, PassesAConstantWindow) {
  const ApplyCausalSlidingWindowAttentionMask<constant<1024>> layer{.masked_out_value = -1e30,
                                                                    .sliding_window_size = {}};
  layer.apply_in_place(logits_, input<"token_positions">(positions_));
  EXPECT_EQ(made().layer.attributes[1].number, 1024);
  EXPECT_EQ(made().layer.attributes[1].numbers, nullptr);
}

TEST_F(Call, PassesAWindowForEachHead) {
  named_array<std::int64_t, axes<"heads">> windows({4});
  const ApplyCausalSlidingWindowAttentionMask<counts_over<axes<"heads">>> layer{
      .masked_out_value = -1e30, .sliding_window_size = std::as_const(windows).view()};
  layer.apply_in_place(logits_, input<"token_positions">(positions_));
  ASSERT_EQ(made().numbers.size(), 1U);
  EXPECT_EQ(made().numbers[0].data(), windows.data());
  EXPECT_EQ(made().numbers[0].type(), dtype::int64);
  EXPECT_EQ(shape(made().numbers[0]), "heads:4:1");
}

TEST_F(Call, PassesTheSideInputsUnderTheirNames) {
  named_array<std::int64_t, axes<"batch", "seq">> cache_positions({3, 2});
  named_array<float, axes<"batch", "seq", "kv_seq">> logits({3, 2, 8});
  const ApplyCausalSlidingWindowAttentionMask<count, "token_positions", "cache_positions"> layer{
      .masked_out_value = -1e30, .sliding_window_size = 4};
  // In an order that is not the layer's.
  layer.apply_in_place(logits, input<"cache_positions">(cache_positions), input<"token_positions">(positions_));
  ASSERT_EQ(made().side_inputs.size(), 2U);
  EXPECT_EQ(made().side_inputs[0].name, "cache_positions");
  EXPECT_EQ(made().side_inputs[0].array.data(), cache_positions.data());
  EXPECT_EQ(made().side_inputs[0].array.type(), dtype::int64);
  EXPECT_EQ(shape(made().side_inputs[0].array), "batch:3:2 seq:2:1");
  EXPECT_EQ(made().side_inputs[1].name, "token_positions");
  EXPECT_EQ(made().side_inputs[1].array.type(), dtype::int32);
  EXPECT_EQ(shape(made().side_inputs[1].array), "seq:2:1");
}

TEST_F(Call, PositionsOfKeysMayHaveTheKeysAxis) {
  named_array<std::int64_t, axes<"kv_seq">> cache_positions({8});
  const ApplyCausalSlidingWindowAttentionMask<count, "token_positions", "cache_positions"> layer{
      .masked_out_value = -1e30, .sliding_window_size = 4};
  layer.apply_in_place(logits_, input<"token_positions">(positions_), input<"cache_positions">(cache_positions));
  EXPECT_EQ(shape(made().side_inputs[1].array), "kv_seq:8:1");
}

TEST_F(Call, PassesStridesAsTheyAre) {
  const named_view<const std::int32_t, axes<"heads", "seq">> repeated(positions_.data() + 1, {4, 2}, {0, -1});
  const named_view<float, axes<"kv_seq", "seq">> transposed(logits_.data(), {8, 2}, {1, 8});
  const named_view<float, axes<"kv_seq", "seq", "heads">> logits(logits_.data(), {8, 2, 4}, {1, 8, 16});
  layer_.apply_in_place(logits, input<"token_positions">(repeated));
  EXPECT_EQ(shape(made().logits), "kv_seq:8:1 seq:2:8 heads:4:16");
  EXPECT_EQ(shape(made().side_inputs[0].array), "heads:4:0 seq:2:-1");
}

TEST_F(Call, InPlaceTheResultIsTheLogits) {
  layer_.apply_in_place(logits_, input<"token_positions">(positions_));
  EXPECT_EQ(made().out.data(), logits_.data());
  EXPECT_EQ(made().logits.data(), logits_.data());
  EXPECT_EQ(shape(made().out), shape(made().logits));
}

TEST_F(Call, TakesAResultWithTheAxesInAnotherOrder) {
  named_array<float, axes<"seq", "heads", "kv_seq">> out({2, 4, 8});
  layer_.apply(logits_, out, input<"token_positions">(positions_));
  EXPECT_EQ(made().logits.data(), logits_.data());
  EXPECT_EQ(made().out.data(), out.data());
  EXPECT_EQ(shape(made().out), "seq:2:32 heads:4:8 kv_seq:8:1");
}

TEST_F(Call, TakesAViewThatIsATemporary) {
  layer_.apply(logits_.view(), logits_.view(), input<"token_positions">(positions_.view()));
  EXPECT_EQ(made().out.data(), logits_.data());
}

TEST_F(Call, TakesEveryFloat) {
  named_array<float16, axes<"seq", "kv_seq">> half({2, 8});
  named_array<bfloat16, axes<"seq", "kv_seq">> brain({2, 8});
  named_array<double, axes<"seq", "kv_seq">> wide({2, 8});
  layer_.apply_in_place(half, input<"token_positions">(positions_));
  layer_.apply_in_place(brain, input<"token_positions">(positions_));
  layer_.apply_in_place(wide, input<"token_positions">(positions_));
  ASSERT_EQ(calls.size(), 3U);
  EXPECT_EQ(calls[0].logits.type(), dtype::float16);
  EXPECT_EQ(calls[1].logits.type(), dtype::bfloat16);
  EXPECT_EQ(calls[2].logits.type(), dtype::float64);
}

// The sizes of arrays are the runtime's to check: the types do not have them.
TEST_F(Call, PassesSizesUnseen) {
  named_array<std::int32_t, axes<"seq">> too_many({3});
  layer_.apply_in_place(logits_, input<"token_positions">(too_many));
  EXPECT_EQ(shape(made().side_inputs[0].array), "seq:3:1");
}

// A layer with a mask and without positions needs no sequence axes.
struct ApplyGivenMask {
  AXISMASK_LAYER(ApplyGivenMask, (masked_value, masked_out_value), (mask, mask_input_name, "mask"))

  template <class Boolean>
  static constexpr auto keep(Boolean given) {
    return given;
  }
};

TEST_F(Call, OfALayerWithAMaskPassesBooleans) {
  named_array<bool, axes<"seq", "kv_seq">> given({2, 8});
  const ApplyGivenMask layer{.masked_out_value = -1e30};
  layer.apply_in_place(logits_, input<"mask">(given));
  EXPECT_EQ(made().layer.type->name, "ApplyGivenMask");
  EXPECT_EQ(made().layer.attributes[1].name, "mask");
  EXPECT_EQ(made().side_inputs[0].array.type(), dtype::boolean);
  EXPECT_EQ(shape(made().side_inputs[0].array), "seq:2:8 kv_seq:8:1");
}

// A layer with positions of queries only needs no key axis.
struct ApplyPaddingQueryMask {
  AXISMASK_LAYER(ApplyPaddingQueryMask, (masked_value, masked_out_value),
                 (query_positions, query_positions_input_name, "token_positions"), (query_axis, seq_axis, "seq"))

  template <class Number>
  static constexpr auto keep(Number query) {
    return query >= 0;
  }
};

TEST_F(Call, OfALayerWithoutAKeyAxisPassesThePositionsOfQueries) {
  named_array<std::int32_t, axes<"heads", "seq">> positions({4, 2});
  const ApplyPaddingQueryMask layer{.masked_out_value = -1e30};
  layer.apply_in_place(logits_, input<"token_positions">(positions));
  EXPECT_EQ(made().layer.type->name, "ApplyPaddingQueryMask");
  EXPECT_EQ(made().layer.attributes[1].name, "token_positions");
  EXPECT_EQ(made().layer.attributes[2].name, "seq");
  EXPECT_EQ(shape(made().side_inputs[0].array), "heads:4:2 seq:2:1");
}

}  // namespace
}  // namespace axismask
