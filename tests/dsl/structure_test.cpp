// Layers whose types are known, as trees of values: what each of penzai's inherited methods gives here. What must not
// compile is in tests/compile_fail; penzai's own answers are in tests/oracle/structure_test.py.
#include "axismask/structure.hpp"

#include <gtest/gtest.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

#include "axismask/layers.hpp"

namespace axismask {
namespace {

using seed = ApplyCausalSlidingWindowAttentionMask<>;
template <class Window>
using seed_of = ApplyCausalSlidingWindowAttentionMask<Window>;

constexpr seed layer{.masked_out_value = -1e9, .sliding_window_size = 512};

// A layer of a user's own with two parameters, one of which is fixed, and a masked value that may be a variable.
template <class Fill, class Left, class Right = whole>
struct Between {
  AXISMASK_LAYER(Between,
                 (Left, left),
                 (Fill, fill),
                 (Right, right),
                 (count, step),
                 (query_positions, query_input_name, "positions"),
                 (kv_positions, kv_input_name, "positions"),
                 (query_axis, rows, "rows"),
                 (kv_axis, columns, "columns"))

  template <class Position, class Size>
  static constexpr auto keep(Position query, Position key, Size left, Size right, Size step) {
    return query - key <= left && key - query <= right && (query - key) % step == 0;
  }
};

template <class... Fields>
std::vector<std::string> names_of(const Fields&... fields) {
  return {std::string(fields)...};
}

// ------------------------------------------------------------------------------------------------------ Attributes

TEST(AttributesDict, HasEveryFieldInTheLayersOrder) {
  std::vector<std::string> names;
  attributes_dict(layer).for_each([&](std::string_view name, const auto&) { names.emplace_back(name); });
  EXPECT_EQ(names, names_of("masked_out_value", "sliding_window_size", "query_positions_input_name",
                            "kv_positions_input_name", "seq_axis", "kv_seq_axis"));
  static_assert(attributes_dict(layer).size() == 6);
}

TEST(AttributesDict, FindsAValueByItsName) {
  constexpr auto fields = attributes_dict(layer);
  static_assert(fields.at<"masked_out_value">() == masked_value(-1e9));
  static_assert(fields.at<"sliding_window_size">().value == 512);
  static_assert(fields.at<"seq_axis">().name == "seq");
}

TEST(FromAttributes, TakesWhatAttributesDictGives) {
  constexpr seed same = from_attributes<seed>(attributes_dict(layer));
  static_assert(same.masked_out_value == layer.masked_out_value);
  static_assert(same.sliding_window_size.value == 512);
}

TEST(FromAttributes, TakesAllFieldsInAnyOrder) {
  using renamed_seed = ApplyCausalSlidingWindowAttentionMask<count, "q", "k", "rows", "columns">;
  constexpr auto made =
      from_attributes<renamed_seed>(field<"kv_seq_axis", "columns">(), field<"seq_axis", "rows">(),
                                    field<"kv_positions_input_name", "k">(), field<"query_positions_input_name", "q">(),
                                    field<"sliding_window_size">(7), field<"masked_out_value">(masked_value::lowest()));
  static_assert(std::is_same_v<decltype(made), const renamed_seed>);
  static_assert(made.sliding_window_size.value == 7);
  static_assert(made.masked_out_value == masked_value::lowest());
}

TEST(KeyForField, IsPrintedAsJaxPrintsIt) {
  EXPECT_EQ(key_for_field<"sliding_window_size">(layer).str(), ".sliding_window_size");
  static_assert(key_for_field<"seq_axis">(layer) == attribute_key{"seq_axis"});
}

// ------------------------------------------------------------------------------------------------------ Selections

TEST(Select, SetGivesANewLayer) {
  constexpr seed wider = select(layer).at<"sliding_window_size">().set(1024);
  static_assert(wider.sliding_window_size.value == 1024);
  static_assert(wider.masked_out_value == layer.masked_out_value);
  static_assert(layer.sliding_window_size.value == 512);
}

TEST(Select, SetTakesAnyNumberForTheMaskedValue) {
  static_assert(select(layer).at<"masked_out_value">().set(-7).masked_out_value == masked_value(-7));
  static_assert(select(layer).at<"masked_out_value">().set(-0.5F).masked_out_value == masked_value(-0.5));
  static_assert(select(layer).at<"masked_out_value">().set(masked_value::minus_infinity()).masked_out_value ==
                masked_value::minus_infinity());
}

TEST(Select, ApplyGetsThePlainNumber) {
  constexpr seed twice = select(layer).at<"sliding_window_size">().apply([](std::int64_t size) { return 2 * size; });
  static_assert(twice.sliding_window_size.value == 1024);
  constexpr seed half =
      select(layer).at<"masked_out_value">().apply([](masked_value value) { return value.number() / 2; });
  static_assert(half.masked_out_value == masked_value(-5e8));
}

TEST(Select, GetGivesTheValue) {
  static_assert(select(layer).at<"sliding_window_size">().get() == 512);
  static_assert(select(seed_of<constant<3>>{-1, {}}).at<"sliding_window_size">().get() == 3);
  static_assert(select(layer).get().sliding_window_size.value == 512);
}

TEST(Select, SetChangesTheTypeWithTheKindOfValue) {
  constexpr auto fixed = select(layer).at<"sliding_window_size">().set(constant<256>{});
  static_assert(std::is_same_v<decltype(fixed), const seed_of<constant<256>>>);
  constexpr auto free = select(fixed).at<"sliding_window_size">().set(3);
  static_assert(std::is_same_v<decltype(free), const seed>);
  static_assert(free.sliding_window_size.value == 3);

  const std::vector<std::int64_t> sizes{1, 2};
  const counts_over<axes<"heads">> each(sizes.data(), {2});
  const auto per_head = select(layer).at<"sliding_window_size">().set(each);
  static_assert(std::is_same_v<decltype(per_head), const seed_of<counts_over<axes<"heads">>>>);
  EXPECT_EQ(per_head.sliding_window_size.data(), sizes.data());
  EXPECT_EQ(per_head.masked_out_value, layer.masked_out_value);
}

TEST(Select, ChangesOneOfTwoParametersOfOneType) {
  constexpr Between<masked_value, whole> between{.left = 1, .fill = -1, .right = 2, .step = 3};
  constexpr auto changed = select(between).at<"right">().set(constant<9>{});
  static_assert(std::is_same_v<decltype(changed), const Between<masked_value, whole, constant<9>>>);
  static_assert(changed.left.value == 1);
  constexpr auto other = select(between).at<"left">().set(constant<9>{});
  static_assert(std::is_same_v<decltype(other), const Between<masked_value, constant<9>, whole>>);
  static_assert(other.right.value == 2);
}

// ----------------------------------------------------------------------------------------------------------- Trees

TEST(TreeFlatten, GivesTheLeavesInTheLayersOrder) {
  constexpr auto flat = tree_flatten(layer);
  static_assert(std::is_same_v<std::remove_const_t<decltype(flat.leaves)>, std::tuple<masked_value, count>>);
  static_assert(std::get<1>(flat.leaves).value == 512);
  EXPECT_EQ(std::vector(flat.structure.child_field_names().begin(), flat.structure.child_field_names().end()),
            (std::vector<std::string_view>{"masked_out_value", "sliding_window_size"}));
  constexpr auto names = flat.structure.static_fields();
  static_assert(names.size() == 4);
  static_assert(names[0] ==
                std::pair<std::string_view, std::string_view>("query_positions_input_name", "token_positions"));
  static_assert(names[3] == std::pair<std::string_view, std::string_view>("kv_seq_axis", "kv_seq"));
}

TEST(TreeFlatten, LeavesNamesOutWhereverTheyStand) {
  constexpr auto flat = tree_flatten(ApplyExplicitAttentionMask<>{.masked_out_value = -2});
  static_assert(std::is_same_v<std::remove_const_t<decltype(flat.leaves)>, std::tuple<masked_value>>);
}

TEST(TreeFlattenWithKeys, PairsEachLeafWithItsKey) {
  const auto [leaves, structure] = tree_flatten_with_keys(layer);
  EXPECT_EQ(std::get<0>(leaves).first.str(), ".masked_out_value");
  EXPECT_EQ(std::get<0>(leaves).second, masked_value(-1e9));
  EXPECT_EQ(std::get<1>(leaves).first.str(), ".sliding_window_size");
  EXPECT_EQ(std::get<1>(leaves).second.value, 512);
  EXPECT_TRUE(structure == tree_flatten(layer).structure);

  const auto of_one = tree_flatten_with_keys(ApplyCausalAttentionMask<>{-1});
  static_assert(std::is_same_v<decltype(of_one.leaves), std::tuple<std::pair<attribute_key, masked_value>>>);
}

TEST(TreeUnflatten, IsTheInverse) {
  constexpr auto flat = tree_flatten(layer);
  constexpr seed same = tree_unflatten(flat.structure, flat.leaves);
  static_assert(same.sliding_window_size.value == 512 && same.masked_out_value == masked_value(-1e9));

  constexpr Between<masked_value, constant<5>> between{.left = {}, .fill = -1, .right = 2, .step = 3};
  constexpr auto again = tree_unflatten(tree_flatten(between).structure, tree_flatten(between).leaves);
  static_assert(std::is_same_v<decltype(again), const Between<masked_value, constant<5>>>);
  static_assert(again.step.value == 3 && again.right.value == 2);
}

TEST(TreeUnflatten, TakesOtherLeaves) {
  constexpr auto structure = tree_flatten(layer).structure;
  constexpr seed other = tree_unflatten(structure, std::tuple(-2.5, 7));
  static_assert(other.sliding_window_size.value == 7 && other.masked_out_value == masked_value(-2.5));
  constexpr auto fixed = tree_unflatten(structure, std::tuple(-2.5, constant<7>{}));
  static_assert(std::is_same_v<decltype(fixed), const seed_of<constant<7>>>);
}

TEST(TreeStructure, OfLayersWithOtherNamesIsAnother) {
  using renamed_seed = ApplyCausalSlidingWindowAttentionMask<count, "q">;
  EXPECT_TRUE(tree_flatten(layer).structure == tree_flatten(seed{-3, 4}).structure);
  EXPECT_FALSE(tree_flatten(layer).structure == tree_flatten(renamed_seed{-1e9, 512}).structure);
}

// ------------------------------------------------------------------------------------------------------- Variables

TEST(BindVariables, PutsTheValueInThePlaceOfTheVariable) {
  constexpr seed_of<variable<"window">> unbound{.masked_out_value = -1e9, .sliding_window_size = {}};
  constexpr seed bound = bind_variables(unbound, value<"window">(7));
  static_assert(bound.sliding_window_size.value == 7 && bound.masked_out_value == masked_value(-1e9));
  constexpr auto fixed = bind_variables(unbound, value<"window">(constant<7>{}));
  static_assert(std::is_same_v<decltype(fixed), const seed_of<constant<7>>>);
}

TEST(BindVariables, BindsAVariableThatASelectionSet) {
  constexpr auto unbound = select(layer).at<"sliding_window_size">().set(variable<"window">{});
  static_assert(std::is_same_v<decltype(unbound), const seed_of<variable<"window">>>);
  static_assert(bind_variables(unbound, value<"window">(7)).sliding_window_size.value == 7);
}

TEST(BindVariables, BindsOneVariableInSeveralLeaves) {
  constexpr Between<masked_value, variable<"size">, variable<"size", whole>> unbound{
      .left = {}, .fill = -1, .right = {}, .step = 1};
  constexpr auto bound = bind_variables(unbound, value<"size">(4));
  static_assert(std::is_same_v<decltype(bound), const Between<masked_value, count, whole>>);
  static_assert(bound.left.value == 4 && bound.right.value == 4);
}

TEST(BindVariables, LeavesOtherVariables) {
  constexpr Between<variable<"fill", masked_value>, variable<"left", whole>> unbound{
      .left = {}, .fill = {}, .right = 2, .step = 3};
  constexpr auto half = bind_variables(unbound, value<"fill">(-8));
  static_assert(std::is_same_v<decltype(half), const Between<masked_value, variable<"left", whole>>>);
  static_assert(half.fill == masked_value(-8) && half.right.value == 2);
  constexpr auto bound = bind_variables(half, value<"left">(0));
  static_assert(bound.left.value == 0);
}

TEST(BindVariables, IgnoresUnusedValuesWhenTheyAreAllowed) {
  static_assert(bind_variables(layer, allow_unused, value<"window">(7)).sliding_window_size.value == 512);
  static_assert(bind_variables(layer).sliding_window_size.value == 512);
}

// What the call computes is seen in tests/runtime/layer_structure_test.cpp, with kernels.
TEST(StatelessCall, GivesTheResultAndTheValues) {
  const seed_of<variable<"window">> unbound{.masked_out_value = -1e9, .sliding_window_size = {}};
  named_array<float, axes<"seq", "kv_seq">> logits({2, 2});
  const named_array<std::int32_t, axes<"seq">> positions({2});
  const auto [result, values] =
      stateless_call(unbound, std::tuple(value<"window">(7)), logits, input<"token_positions">(positions));
  static_assert(std::is_same_v<decltype(result), const named_array<float, axes<"seq", "kv_seq">>>);
  EXPECT_EQ(std::get<0>(values).value, 7);
  EXPECT_EQ(stateless_call(layer, std::tuple(), logits, input<"token_positions">(positions)).second, std::tuple());
}

// ---------------------------------------------------------------------------------------------------- Compositions

// A composition has its masked value once, and then the attributes of its masks.
TEST(Composition, IsATreeToo) {
  constexpr auto both = ApplyCausalAttentionMask<>{-1} & seed{-1, 5};
  constexpr auto flat = tree_flatten(both);
  static_assert(std::is_same_v<std::remove_const_t<decltype(flat.leaves)>, std::tuple<masked_value, count>>);
  constexpr auto other = tree_unflatten(flat.structure, std::tuple(-3, 6));
  static_assert(std::is_same_v<decltype(other), decltype(both)>);
  static_assert(other.masked_out_value == masked_value(-3));
  static_assert(std::get<0>(other.masks).masked_out_value == masked_value(-3));
  static_assert(std::get<1>(other.masks).sliding_window_size.value == 6);
}

TEST(Composition, IsEditedAndBound) {
  constexpr auto unbound = ApplyCausalAttentionMask<>{-1} & !seed_of<variable<"window">>{-1, {}};
  constexpr auto bound = bind_variables(unbound, value<"window">(5));
  constexpr auto wider = select(bound).at<"sliding_window_size">().set(9);
  static_assert(std::is_same_v<decltype(wider), const all_of<ApplyCausalAttentionMask<>, not_of<seed>>>);
  static_assert(std::get<0>(std::get<1>(wider.masks).masks).sliding_window_size.value == 9);
}

// ---------------------------------------------------------------------------------------------------------- Colour

TEST(TreescopeColor, IsThatOfPenzaisClass) {
  EXPECT_EQ(treescope_color(layer), "oklch(0.785 0.103 320.009765625 / 1.0)");
  EXPECT_EQ(treescope_color(layer), color_from_string("penzai.nn.attention.ApplyCausalSlidingWindowAttentionMask"));
}

TEST(TreescopeColor, OfOtherLayersIsThatOfTheirName) {
  const Between<masked_value, whole> between{.left = 1, .fill = -1, .right = 2, .step = 3};
  EXPECT_EQ(treescope_color(between), color_from_string("Between"));
}

// FIPS 180-4's examples: no block, one, and two; and the sizes where the length takes a block of its own.
TEST(Sha256, IsTheStandards) {
  using digest = detail::sha256_state;
  static_assert(detail::sha256("") ==
                digest{0xe3b0c442, 0x98fc1c14, 0x9afbf4c8, 0x996fb924, 0x27ae41e4, 0x649b934c, 0xa495991b, 0x7852b855});
  static_assert(detail::sha256("abc") ==
                digest{0xba7816bf, 0x8f01cfea, 0x414140de, 0x5dae2223, 0xb00361a3, 0x96177a9c, 0xb410ff61, 0xf20015ad});
  static_assert(detail::sha256("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq") ==
                digest{0x248d6a61, 0xd20638b8, 0xe5c02693, 0x0c3e6039, 0xa33ce459, 0x64ff2167, 0xf6ecedd4, 0x19db06c1});
}

}  // namespace
}  // namespace axismask
