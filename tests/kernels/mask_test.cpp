// Masks by themselves: in every form, layer and variant, compared with the reference on random calls; errors; rules for
// rows that see nothing; memory.
#include "axismask/mask.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string>
#include <vector>

#include "axismask/layers.hpp"
#include "axismask/linked.hpp"
#include "axismask/plan.hpp"
#include "random_call.hpp"

namespace axismask {
namespace {

using namespace test;  // NOLINT(google-build-using-namespace): random calls

// The bits of 0 and of -inf.
std::uint64_t element_of(dtype type, bool is_kept) {
  if (type == dtype::boolean) return is_kept ? 1 : 0;
  if (is_kept) return 0;
  switch (type) {
    case dtype::float16:
      return 0xFC00;
    case dtype::bfloat16:
      return 0xFF80;
    case dtype::float32:
      return 0xFF800000;
    default:
      return 0xFFF0000000000000;
  }
}

// The axes of the mask, with a key axis that is `more` keys longer.
std::vector<named_axis> padded(std::vector<named_axis> axes, std::int64_t more) {
  for (named_axis& axis : axes) {
    if (axis.name == "kv_seq") axis.size += more;
  }
  return axes;
}

struct random_mask {
  random_source& random;
  const random_call& call;
  std::vector<named_axis> axes;  // those of the layer's logits
  mask_options options;
  std::int64_t more = 0;  // keys past those that there are
  std::size_t key_axis = axis_named(axes, "kv_seq");

  // Is the element kept? What is past the last key is masked.
  [[nodiscard]] bool keeps(const std::vector<std::int64_t>& index) const {
    return index[key_axis] < axes[key_axis].size && call.keeps(index);
  }
};

void check_elements(const random_mask& mask, dtype type) {
  std::vector<named_axis> axes = padded(mask.axes, mask.more);
  std::vector<named_axis> shuffled = axes;
  std::shuffle(shuffled.begin(), shuffled.end(), mask.random);
  test_array out = make_array(mask.random, shuffled, type, false);
  fill_with_random_bytes(mask.random, out);
  test_array want = out;
  const element_offsets offset_of(want, axes);
  for_each_index(axes, [&](const std::vector<std::int64_t>& index) {
    const std::uint64_t element = element_of(type, mask.keeps(index));
    std::memcpy(want.memory.data() + offset_of(index), &element, static_cast<std::size_t>(info(type).bytes));
  });
  write_mask(mask.call.values, out.view(), mask.call.inputs, mask.options);
  ASSERT_EQ(out.memory, want.memory) << mask.call.values.type->name << " " << info(type).name << "\nout "
                                     << describe(out.axes) << "\n"
                                     << mask.more << " keys more";
}

// Bits in rows that are filled up, without a gap, or anywhere.
enum class bit_layout { rows, packed, anywhere };

void check_bits(const random_mask& mask, bit_layout layout, bit_order order) {
  std::vector<named_axis> axes = padded(mask.axes, mask.more);
  std::vector<std::uint8_t> bytes(1 << 20, std::uint8_t{0xA5});
  void* memory = bytes.data() + 64;
  bit_view out = layout == bit_layout::rows ? bit_view::with_padded_rows(memory, axes, order)
                                            : bit_view::packed(memory, axes, order);
  if (layout == bit_layout::anywhere) {
    // Somewhere in an array that is larger along each axis.
    std::int64_t stride = pick(mask.random, 1, 2);
    std::vector<std::size_t> places(axes.size());
    for (std::size_t place = 0; place < places.size(); ++place) places[place] = place;
    std::shuffle(places.begin(), places.end(), mask.random);
    for (const std::size_t place : places) {
      axes[place].stride = stride;
      stride *= std::max<std::int64_t>(axes[place].size, 1) + pick(mask.random, 0, 1);
    }
    if (stride > 7'000'000) return;
    out = bit_view(memory, axes, order);
  }
  if (out.byte_count() > (1 << 20) - 128) return;
  const std::vector<std::uint8_t> before = bytes;
  write_mask(mask.call.values, out, mask.call.inputs, mask.options);

  std::vector<std::uint8_t> want = before;
  const auto set = [&](std::int64_t at, bool value) {
    std::uint8_t& byte = want[static_cast<std::size_t>(64 + at / 8)];
    const auto bit = static_cast<std::uint8_t>(1 << (order == bit_order::little ? at % 8 : 7 - at % 8));
    byte = static_cast<std::uint8_t>(value ? byte | bit : byte & ~bit);
  };
  const auto place_of = [&](const std::vector<std::int64_t>& index) {
    std::int64_t at = 0;
    for (std::size_t axis = 0; axis < index.size(); ++axis) at += index[axis] * out.bits().axes()[axis].stride;
    return at;
  };
  const bool is_empty = out.byte_count() == 0;
  if (layout == bit_layout::packed && !is_empty) {
    for (std::int64_t at = out.byte_count() * 8; at-- > out.bits().element_count();) set(at, false);
  }
  for_each_index(axes, [&](const std::vector<std::int64_t>& index) {
    const std::int64_t at = place_of(index);
    if (layout == bit_layout::rows && index.back() + 1 == axes.back().size) {
      for (std::int64_t past = at + 1; past % 8 != 0; ++past) set(past, false);
    }
    set(at, mask.keeps(index));
  });
  ASSERT_EQ(bytes, want) << mask.call.values.type->name << " bits " << describe(axes);
}

class mask_variants : public testing::TestWithParam<std::string> {
 protected:
  void SetUp() override {
    try {
      force_variant(GetParam());
    } catch (const error& problem) {
      GTEST_SKIP() << problem.what();
    }
  }
  void TearDown() override { force_variant(""); }
};

TEST_P(mask_variants, equal_the_reference_in_every_layer_and_form) {
  random_source random(11);
  for (const layer_library* library : linked_libraries()) {
    for (const linked_layer& layer : library->layers) {
      for (int repeat = 0; repeat < 120; repeat += AXISMASK_TEST_CASE_STEP) {
        SCOPED_TRACE("case " + std::to_string(repeat));
        const std::vector<named_axis> axes = random_axes(random, repeat >= 110);
        const random_call call(random, layer, axes);
        random_mask mask{random, call, axes, {}};
        mask.options.call.threads = static_cast<int>(pick(random, 1, 3));
        std::optional<tile_plan> tiles;
        if (repeat % 3 == 0) {
          try {
            tiles = plan(call.values, {pick(random, 1, 40), pick(random, 1, 40)}, call.inputs);
            mask.options.call.plan = &*tiles;
          } catch (const error& problem) {
            ASSERT_EQ(problem.id(), "plan-axes");
          }
        }
        const bool knows_keys =
            std::any_of(layer.type->attributes.begin(), layer.type->attributes.end(),
                        [](const attribute_record& one) { return one.kind == attribute_kind::kv_positions; });
        if (knows_keys && repeat % 2 == 0) {
          mask.options.pad_keys = true;
          mask.more = pick(random, 0, 20);
        }
        for (const dtype type : {dtype::boolean, dtype::float16, dtype::bfloat16, dtype::float32, dtype::float64}) {
          if (pick(random, 0, 2) == 0) check_elements(mask, type);
        }
        const auto order = pick(random, 0, 1) == 0 ? bit_order::little : bit_order::big;
        check_bits(mask, static_cast<bit_layout>(repeat % 3), order);
        if (HasFatalFailure()) return;
      }
    }
  }
}

std::vector<std::string> variants() {
  std::vector<std::string> names;
  for (const kernel& one : find_linked_layer("ApplyCausalAttentionMask")->kernels) {
    if (one.device == nullptr && (names.empty() || names.back() != one.variant)) names.emplace_back(one.variant);
  }
  return names;
}
INSTANTIATE_TEST_SUITE_P(variant, mask_variants, testing::ValuesIn(variants()),
                         [](const testing::TestParamInfo<std::string>& info) { return info.param; });

// A mask and its additive form as they are called in C++, and by the rules for rows that see nothing.
TEST(mask, static_calls_write_what_the_layer_keeps) {
  const ApplyCausalSlidingWindowAttentionMask<> local{.masked_out_value = masked_value::lowest(),
                                                      .sliding_window_size = 2};
  const std::array<int, 4> numbers{0, 1, 2, 3};
  const named_view<const int, axes<"seq">> positions(numbers.data(), {4});
  std::array<bool, 16> kept{};
  write_mask(local, named_view<bool, axes<"seq", "kv_seq">>(kept.data(), {4, 4}), input<"token_positions">(positions));
  EXPECT_EQ(kept, (std::array<bool, 16>{1, 0, 0, 0, 1, 1, 0, 0, 0, 1, 1, 0, 0, 0, 1, 1}));

  std::array<float, 8> numbers_out{};
  const std::array<int, 2> two{0, 1};
  const named_view<const int, axes<"seq">> few(two.data(), {2});
  write_mask(mask_options{.masked = masked_value(-5.0), .pad_keys = true}, local,
             named_view<float, axes<"seq", "kv_seq">>(numbers_out.data(), {2, 4}), input<"token_positions">(few));
  EXPECT_EQ(numbers_out, (std::array<float, 8>{0, -5, -5, -5, 0, 0, -5, -5}));

  std::array<std::uint8_t, 4> bits{};
  const std::array axes_of_bits{named_axis{"seq", 4}, named_axis{"kv_seq", 4}};
  write_mask(local, bit_view::with_padded_rows(bits.data(), axes_of_bits, bit_order::little),
             input<"token_positions">(positions));
  EXPECT_EQ(bits, (std::array<std::uint8_t, 4>{1, 3, 6, 12}));
}

TEST(mask, rows_that_see_nothing_follow_the_rule) {
  const ApplyCausalAttentionMask<> causal{.masked_out_value = masked_value::lowest()};
  const std::array<int, 3> numbers{-1, -1, 0};
  const named_view<const int, axes<"seq">> positions(numbers.data(), {3});
  std::array<bool, 9> kept{};
  const named_view<bool, axes<"seq", "kv_seq">> out(kept.data(), {3, 3});
  write_mask(causal, out, input<"token_positions">(positions));
  EXPECT_EQ(kept, (std::array<bool, 9>{0, 0, 0, 0, 0, 0, 0, 0, 1}));
  write_mask(with_empty_rows<empty_row_rule::keep_self>(causal), out, input<"token_positions">(positions));
  EXPECT_EQ(kept, (std::array<bool, 9>{1, 1, 0, 1, 1, 0, 0, 0, 1}));
  std::array<std::uint8_t, 2> bits{0xFF, 0xFF};
  const std::array axes_of_bits{named_axis{"seq", 3}, named_axis{"kv_seq", 3}};
  write_mask(with_empty_rows<empty_row_rule::keep_self>(causal),
             bit_view::packed(bits.data(), axes_of_bits, bit_order::big), input<"token_positions">(positions));
  EXPECT_EQ(bits, (std::array<std::uint8_t, 2>{0b11011000, 0b10000000}));

  const std::array<bool, 9> before = kept;
  try {
    write_mask(with_empty_rows<empty_row_rule::error>(causal), out, input<"token_positions">(positions));
    FAIL();
  } catch (const error& problem) {
    EXPECT_STREQ(problem.what(),
                 "axismask: error[empty-row] logits: the mask keeps nothing of the row at \"seq\" 0, whose query is at "
                 "position -1; give that query a key that it sees; if it is padding, give the layer the empty_rows "
                 "\"masked\" or \"keep_self\"");
  }
  EXPECT_EQ(kept, before);
}

// What a call says that cannot be, and that it has written nothing.
class refused_masks : public testing::Test {
 protected:
  std::string message(const any_view& out, mask_options options = {}) {
    const std::vector<std::byte> before = memory_;
    std::string text = "nothing was wrong";
    try {
      write_mask(values_, out, {{"token_positions", positions()}}, options);
    } catch (const error& problem) {
      text = problem.what();
    }
    EXPECT_EQ(memory_, before);
    return text;
  }
  [[nodiscard]] any_view positions() const { return {numbers_.data(), dtype::int32, {{"seq", 4}}}; }
  [[nodiscard]] any_view out(dtype type, std::int64_t keys = 4) {
    return {memory_.data(), type, {{"seq", 4}, {"kv_seq", keys}}};
  }

  std::array<std::int32_t, 4> numbers_{0, 1, 2, 3};
  std::vector<std::byte> memory_ = std::vector<std::byte>(1024, std::byte{0x5A});
  layer_values values_{find_linked_layer("ApplyCausalAttentionMask")->type, masked_value::lowest(), [] {
                         std::array<attribute_value, max_attributes> names{};
                         const layer_type& type = *find_linked_layer("ApplyCausalAttentionMask")->type;
                         for (std::size_t index = 0; index < type.attributes.size(); ++index) {
                           names.at(index).name = type.attributes[index].default_name;
                         }
                         return names;
                       }()};
};

TEST_F(refused_masks, say_what_is_wrong_and_write_nothing) {
  EXPECT_EQ(
      message(out(dtype::int32)),
      "axismask: error[mask-dtype] out: a mask is written as booleans or floats, and this array holds int32; give "
      "bool, float16, bfloat16, float32 or float64, or a bit_view");
  EXPECT_EQ(message(out(dtype::boolean, 5)),
            "axismask: error[axis-size] token_positions: its axis \"seq\" has size 4, and that of the logits, "
            "\"kv_seq\", has 5; give one element for each index of the logits' axis");
  EXPECT_EQ(message(out(dtype::boolean, 3), {.pad_keys = true}),
            "axismask: error[axis-size] token_positions: its axis \"seq\" has size 4, and that of the logits, "
            "\"kv_seq\", has 3; give one element for each index of the logits' axis");
  EXPECT_EQ(message(out(dtype::float16), {.masked = masked_value(-1e30)}),
            "axismask: error[masked-value-range] mask_options::masked: -1e+30 does not fit float16 and would become "
            "infinite there; take \"lowest\" for the lowest number of the logits' dtype, or \"-inf\" if that is meant");
  EXPECT_EQ(message(out(dtype::boolean), {.call = {.device = "cuda"}}),
            "axismask: error[device-mask] call_options::device: it asks for \"cuda\", and masks are written by the "
            "processor; give memory of the host, and copy the mask to the device");
  EXPECT_EQ(message(out(dtype::boolean).in_device_memory()),
            "axismask: error[device-mask] out: it is in a device's memory, and masks are written by the processor; "
            "give memory of the host, and copy the mask to the device");
  EXPECT_EQ(message({memory_.data(), dtype::boolean, {{"seq", 4, 0}, {"kv_seq", 4, 1}}}),
            "axismask: error[result-overlap] out: several of its elements lie in one place; give an array whose "
            "strides keep its elements apart");
  EXPECT_EQ(message({static_cast<const std::byte*>(memory_.data()), dtype::boolean, {{"seq", 4}, {"kv_seq", 4}}}),
            "axismask: error[result-const] out: its elements are const; give an array that can be written");
  EXPECT_EQ(message({static_cast<std::byte*>(nullptr), dtype::boolean, {{"seq", 4}, {"kv_seq", 4}}}),
            "axismask: error[array-null] out: it has elements and no memory; give a pointer to its first element");
}

TEST_F(refused_masks, bits_have_no_negative_strides) {
  try {
    const std::array axes_of_bits{named_axis{"seq", 4, -8}, named_axis{"kv_seq", 4, 1}};
    write_mask(values_, bit_view(memory_.data(), axes_of_bits, bit_order::little), {{"token_positions", positions()}});
    FAIL();
  } catch (const error& problem) {
    EXPECT_STREQ(
        problem.what(),
        "axismask: error[mask-bits] out: its axis \"seq\" has a stride of -8 bits; give strides of bits that are "
        "at least 0");
  }
}

// Rounded up to bytes, they are larger than addresses, and a number of 64 bits of them would be a small one.
TEST_F(refused_masks, padded_rows_are_no_longer_than_addresses) {
  std::byte memory{};
  const std::array long_rows{named_axis{"seq", (std::int64_t{1} << 62) - 1}, named_axis{"kv_seq", 1}};
  try {
    static_cast<void>(bit_view::with_padded_rows(&memory, long_rows, bit_order::little));
    FAIL();
  } catch (const error& problem) {
    EXPECT_STREQ(
        problem.what(),
        "axismask: error[mask-bits] out: its padded rows reach further than addresses do; give the array's own "
        "sizes");
  }
}

TEST_F(refused_masks, a_plan_of_other_positions_is_refused) {
  const tile_plan tiles = plan(values_, {8, 8}, {{"token_positions", positions()}});
  numbers_[2] = 7;
  EXPECT_EQ(message(out(dtype::boolean), {.call = {.plan = &tiles}}),
            "axismask: error[plan-differs] plan: it was made for another layer, other numbers or other side inputs; "
            "make a plan of this layer with these side inputs, or call without one");
}

}  // namespace
}  // namespace axismask
