// What reflection finds in a layer: its name, its attributes with their order, parts and defaults, its operands.
#include "axismask/layer/layer_type.hpp"

#include <gtest/gtest.h>

#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "axismask/causal.hpp"
#include "axismask/causal_sliding_window.hpp"
#include "axismask/documents.hpp"
#include "axismask/layer.hpp"

// A layer outside of every namespace.
struct ApplyGivenMask {
  AXISMASK_LAYER(ApplyGivenMask, (axismask::masked_value, masked_out_value), (axismask::mask, mask_input_name, "mask"))

  template <class Boolean>
  static constexpr auto keep(Boolean given) {
    return given;
  }
};

// One inside several, and a template with an argument in angle brackets of its own.
namespace user::layers {
template <class Size>
struct ApplyPrefixMask {
  AXISMASK_LAYER(ApplyPrefixMask,
                 (Size, prefix_length),
                 (axismask::query_positions, query_positions_input_name, "query_positions"),
                 (axismask::kv_positions, kv_positions_input_name, "kv_positions"),
                 (axismask::query_axis, seq_axis, "rows"),
                 (axismask::kv_axis, kv_seq_axis, "columns"),
                 (axismask::masked_value, masked_out_value))

  template <class Position, class Length>
  static constexpr auto keep(Position query, Position key, Length prefix) {
    return key < prefix || key <= query;
  }
};
}  // namespace user::layers

namespace axismask {

// Types with commas, where they can and cannot be told from (part, name, "default").
struct ApplyWindowsMask {
  AXISMASK_LAYER(ApplyWindowsMask,
                 (counts_over<axes<"batch", "heads">>, window),
                 (axismask::counts_over<axes<"batch", "layers", "heads">>, largest),
                 (masked_value, masked_out_value),
                 (query_positions, query_positions_input_name, "token_positions"),
                 (axismask::kv_positions, kv_positions_input_name, "token_positions"),
                 (query_axis, seq_axis, "seq"),
                 (kv_axis, kv_seq_axis, "kv_seq"))

  template <class Position>
  static constexpr auto keep(Position query, Position key, Position window, Position largest) {
    return query - key < window && query - key < largest;
  }
};

namespace {

using seed = ApplyCausalSlidingWindowAttentionMask<>;

// penzai's attributes, in penzai's order, with penzai's names and defaults.
struct expected_attribute {
  std::string_view name;
  attribute_kind kind;
  std::string_view default_name;
};

void expect_attributes(const layer_type& type, const std::vector<expected_attribute>& expected) {
  ASSERT_EQ(type.attributes.size(), expected.size());
  for (std::size_t index = 0; index < expected.size(); ++index) {
    EXPECT_EQ(type.attributes[index].name, expected[index].name);
    EXPECT_EQ(type.attributes[index].kind, expected[index].kind) << expected[index].name;
    EXPECT_EQ(type.attributes[index].default_name, expected[index].default_name) << expected[index].name;
  }
}

// Both lie along queries and keys; only positions tell which key is the query's own.
TEST(LayerType, TellsIdsFromPositions) {
  for (const attribute_record& attribute : layer_type_of<seed>.attributes) EXPECT_FALSE(attribute.are_ids);
  for (const attribute_record& attribute : layer_type_of<ApplyDocumentAttentionMask<>>.attributes) {
    EXPECT_EQ(attribute.are_ids, is_positions(attribute.kind)) << attribute.name;
  }
}

TEST(LayerType, TheSeedLayerIsPenzais) {
  const layer_type& type = layer_type_of<seed>;
  EXPECT_EQ(type.name, "ApplyCausalSlidingWindowAttentionMask");
  expect_attributes(type, {
                              {"masked_out_value", attribute_kind::masked_value, ""},
                              {"sliding_window_size", attribute_kind::parameter, ""},
                              {"query_positions_input_name", attribute_kind::query_positions, "token_positions"},
                              {"kv_positions_input_name", attribute_kind::kv_positions, "token_positions"},
                              {"seq_axis", attribute_kind::query_axis, "seq"},
                              {"kv_seq_axis", attribute_kind::kv_axis, "kv_seq"},
                          });
}

TEST(LayerType, CausalIsPenzais) {
  const layer_type& type = layer_type_of<ApplyCausalAttentionMask<>>;
  EXPECT_EQ(type.name, "ApplyCausalAttentionMask");
  expect_attributes(type, {
                              {"masked_out_value", attribute_kind::masked_value, ""},
                              {"query_positions_input_name", attribute_kind::query_positions, "token_positions"},
                              {"kv_positions_input_name", attribute_kind::kv_positions, "token_positions"},
                              {"seq_axis", attribute_kind::query_axis, "seq"},
                              {"kv_seq_axis", attribute_kind::kv_axis, "kv_seq"},
                          });
}

TEST(LayerType, NamesAndAxesAreArgumentsOfTheType) {
  using renamed_layer = ApplyCausalSlidingWindowAttentionMask<count, "query_positions", "cache_positions", "q", "k">;
  const layer_type& type = layer_type_of<renamed_layer>;
  EXPECT_EQ(type.name, "ApplyCausalSlidingWindowAttentionMask");
  expect_attributes(type, {
                              {"masked_out_value", attribute_kind::masked_value, ""},
                              {"sliding_window_size", attribute_kind::parameter, ""},
                              {"query_positions_input_name", attribute_kind::query_positions, "query_positions"},
                              {"kv_positions_input_name", attribute_kind::kv_positions, "cache_positions"},
                              {"seq_axis", attribute_kind::query_axis, "q"},
                              {"kv_seq_axis", attribute_kind::kv_axis, "k"},
                          });
}

TEST(LayerType, AWindowOfAnyKindIsAParameter) {
  for (const layer_type* type : {&layer_type_of<ApplyCausalSlidingWindowAttentionMask<constant<512>>>,
                                 &layer_type_of<ApplyCausalSlidingWindowAttentionMask<counts_over<axes<"heads">>>>}) {
    EXPECT_EQ(type->name, "ApplyCausalSlidingWindowAttentionMask");
    EXPECT_EQ(type->attributes[1].name, "sliding_window_size");
    EXPECT_EQ(type->attributes[1].kind, attribute_kind::parameter);
  }
}

TEST(LayerType, TheNameIsTheStructsOwn) {
  EXPECT_EQ(layer_type_of<ApplyGivenMask>.name, "ApplyGivenMask");
  EXPECT_EQ(layer_type_of<user::layers::ApplyPrefixMask<count>>.name, "ApplyPrefixMask");
  EXPECT_EQ((layer_type_of<user::layers::ApplyPrefixMask<counts_over<axes<"heads", "batch">>>>.name),
            "ApplyPrefixMask");
}

std::vector<std::size_t> operands_of(const layer_type& type) { return {type.operands.begin(), type.operands.end()}; }

TEST(LayerType, OperandsAreTheSideInputsAndThenTheParameters) {
  EXPECT_EQ(operands_of(layer_type_of<seed>), (std::vector<std::size_t>{2, 3, 1}));
  EXPECT_EQ(operands_of(layer_type_of<ApplyCausalAttentionMask<>>), (std::vector<std::size_t>{1, 2}));
  EXPECT_EQ(operands_of(layer_type_of<ApplyGivenMask>), (std::vector<std::size_t>{1}));
  EXPECT_EQ(operands_of(layer_type_of<user::layers::ApplyPrefixMask<count>>), (std::vector<std::size_t>{1, 2, 0}));
}

TEST(LayerType, FormulasUseTheOperandsInThatOrder) {
  const std::vector<std::string> operands{"q", "k", "64"};
  EXPECT_EQ(layer_type_of<user::layers::ApplyPrefixMask<count>>.formula(operands), "k < 64 || k <= q");
  EXPECT_EQ(layer_type_of<ApplyGivenMask>.formula(std::vector<std::string>{"mask"}), "mask");
}

TEST(LayerType, AMaskIsKeptAsItIs) {
  const layer_type& type = layer_type_of<ApplyGivenMask>;
  EXPECT_TRUE(type.keep(std::vector<std::int64_t>{1}));
  EXPECT_FALSE(type.keep(std::vector<std::int64_t>{0}));
}

// Its members are the attributes and nothing else, written by name, with defaults for the names.
static_assert(std::is_aggregate_v<seed>);
static_assert(std::is_same_v<decltype(seed::masked_out_value), masked_value>);
static_assert(std::is_same_v<decltype(seed::sliding_window_size), count>);
static_assert(std::is_same_v<decltype(seed::query_positions_input_name), query_positions<"token_positions">>);
static_assert(std::is_same_v<decltype(seed::kv_positions_input_name), kv_positions<"token_positions">>);
static_assert(std::is_same_v<decltype(seed::seq_axis), query_axis<"seq">>);
static_assert(std::is_same_v<decltype(seed::kv_seq_axis), kv_axis<"kv_seq">>);

constexpr seed local{.masked_out_value = -2.3819763e38, .sliding_window_size = 512};
static_assert(local.masked_out_value.number() == -2.3819763e38);
static_assert(local.sliding_window_size.value == 512);
static_assert(local.seq_axis.name == "seq");

// A masked value is a number, or asked for by name.
static_assert(masked_value(-1).means() == masked_value::meaning::number);
static_assert(masked_value(-1).number() == -1);
static_assert(masked_value::lowest().means() == masked_value::meaning::lowest);
static_assert(masked_value::minus_infinity().means() == masked_value::meaning::minus_infinity);
static_assert(masked_value::minus_infinity().number() == -std::numeric_limits<double>::infinity());

// Which type plays which part.
static_assert(kind_of<masked_value>() == attribute_kind::masked_value);
static_assert(kind_of<count>() == attribute_kind::parameter);
static_assert(kind_of<constant<3>>() == attribute_kind::parameter);
static_assert(kind_of<counts_over<axes<"heads">>>() == attribute_kind::parameter);

TEST(layer_type_test, a_type_may_have_commas) {
  expect_attributes(layer_type_of<ApplyWindowsMask>,
                    {{"window", attribute_kind::parameter, ""},
                     {"largest", attribute_kind::parameter, ""},
                     {"masked_out_value", attribute_kind::masked_value, ""},
                     {"query_positions_input_name", attribute_kind::query_positions, "token_positions"},
                     {"kv_positions_input_name", attribute_kind::kv_positions, "token_positions"},
                     {"seq_axis", attribute_kind::query_axis, "seq"},
                     {"kv_seq_axis", attribute_kind::kv_axis, "kv_seq"}});
  static_assert(std::is_same_v<decltype(ApplyWindowsMask::window), counts_over<axes<"batch", "heads">>>);
}
static_assert(kind_of<query_positions<"p">>() == attribute_kind::query_positions);
static_assert(kind_of<kv_positions<"p">>() == attribute_kind::kv_positions);
static_assert(kind_of<mask<"m">>() == attribute_kind::mask);
static_assert(kind_of<query_axis<"q">>() == attribute_kind::query_axis);
static_assert(kind_of<kv_axis<"k">>() == attribute_kind::kv_axis);
static_assert(attribute<count> && !attribute<int> && !attribute<std::string>);
// A view of anything else is an array and no parameter.
static_assert(!attribute<named_view<const float, axes<"heads">>>);
static_assert(!attribute<named_view<std::int64_t, axes<"heads">>>);

static_assert(is_side_input(attribute_kind::query_positions) && is_side_input(attribute_kind::kv_positions) &&
              is_side_input(attribute_kind::mask));
static_assert(!is_side_input(attribute_kind::parameter) && !is_side_input(attribute_kind::query_axis) &&
              !is_side_input(attribute_kind::masked_value));
static_assert(is_positions(attribute_kind::query_positions) && is_positions(attribute_kind::kv_positions) &&
              !is_positions(attribute_kind::mask));

}  // namespace
}  // namespace axismask
