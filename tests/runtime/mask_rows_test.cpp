// Masks read by running layers: each element is that of `keep` read with whole numbers.
#include "mask/mask_rows.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <vector>

#include "axismask/layers.hpp"
#include "axismask/messages/error.hpp"
#include "axismask/model.hpp"

using namespace axismask;

namespace {

struct mask {
  std::int64_t keys = 0;
  std::vector<std::uint8_t> kept;

  [[nodiscard]] bool at(std::int64_t query, std::int64_t key) const {
    return kept[static_cast<std::size_t>(query * keys + key)] != 0;
  }
};

mask whole(const mask_rows& rows) {
  mask result{rows.keys(), {}};
  std::int64_t next = 0;
  rows.for_each_strip([&](const mask_strip& strip) {
    EXPECT_EQ(strip.first_query, next);
    EXPECT_EQ(strip.keys, rows.keys());
    EXPECT_EQ(strip.kept.size(), static_cast<std::size_t>(strip.queries * strip.keys));
    next += strip.queries;
    result.kept.insert(result.kept.end(), strip.kept.begin(), strip.kept.end());
  });
  EXPECT_EQ(next, rows.queries());
  return result;
}

any_layer layer_of(const std::string& mask) {
  return Model::parse(
             R"({"axismask": 1, "model": "m", "layers": [{"name": "a", "masked_out_value": 0, )" + mask + "}]}", "spec")
      .layer("a");
}

const std::string window = R"("type": "ApplyCausalSlidingWindowAttentionMask", "sliding_window_size": 100)";
using Window = ApplyCausalSlidingWindowAttentionMask<>;

// In several strips, of which the last is shorter; the masked value 0 is no trouble.
TEST(MaskRows, PositionsAreMade) {
  const any_layer layer = layer_of(window);
  const mask_rows rows(layer.values(), {}, {.queries = 700, .keys = 1501});
  const mask found = whole(rows);
  for (std::int64_t query = 0; query < 700; ++query) {
    for (std::int64_t key = 0; key < 1501; ++key) {
      ASSERT_EQ(found.at(query, key), (keeps<Window>(query + 801, key, 100))) << query << ", " << key;
    }
  }
  EXPECT_EQ(rows.query_axis(), "seq");
  EXPECT_EQ(rows.kv_axis(), "kv_seq");
  EXPECT_TRUE(rows.further_axes().empty());
  EXPECT_EQ(std::ranges::count(rows.query_padding(), true), 0);
}

TEST(MaskRows, OneSizeIsThatOfBoth) {
  const any_layer layer = layer_of(window);
  EXPECT_EQ(mask_rows(layer.values(), {}, {.queries = 5}).keys(), 5);
  EXPECT_EQ(mask_rows(layer.values(), {}, {.keys = 7}).queries(), 7);
}

TEST(MaskRows, PositionsOfEachRowAndWindowsOfEachHead) {
  const any_layer layer = layer_of(
      R"("type": "ApplyCausalSlidingWindowAttentionMask", "sliding_window_size": {"axis": "heads", "values": [1, 3]})");
  std::vector<std::int64_t> positions{-1, -1, 0, 1, 2, 9, 8, 3, 4, 3};
  const any_view array =
      any_view::dense(positions.data(), dtype::int64, std::array{named_axis{"batch", 2, 0}, named_axis{"seq", 5, 0}});
  const std::array inputs{side_input{"token_positions", array}};
  for (std::int64_t batch = 0; batch < 2; ++batch) {
    for (std::int64_t head = 0; head < 2; ++head) {
      const mask_rows rows(layer.values(), inputs, {.at = {{"heads", head}, {"batch", batch}}});
      const mask found = whole(rows);
      ASSERT_EQ(found.kept.size(), 25U);
      const std::int64_t* row = positions.data() + 5 * batch;
      for (std::int64_t query = 0; query < 5; ++query) {
        for (std::int64_t key = 0; key < 5; ++key) {
          ASSERT_EQ(found.at(query, key), (keeps<Window>(row[query], row[key], 1 + 2 * head)));
        }
      }
      ASSERT_EQ(rows.further_axes().size(), 2U);
      EXPECT_EQ(rows.number("sliding_window_size"), 1 + 2 * head);
      EXPECT_EQ(rows.number("dilation"), std::nullopt);
      for (const auto& padding : {rows.query_padding(), rows.key_padding()}) {
        ASSERT_EQ(padding.size(), 5U);
        for (std::size_t at = 0; at < 5; ++at) ASSERT_EQ(padding[at], row[at] < 0);
      }
    }
  }
}

// A side input along queries and keys, cut by strips.
TEST(MaskRows, ExplicitMask) {
  const any_layer layer = layer_of(R"("type": "ApplyExplicitAttentionMask")");
  constexpr std::int64_t queries = 600;
  constexpr std::int64_t keys = 1000;
  std::vector<std::uint8_t> given(queries * keys);
  for (std::size_t at = 0; at < given.size(); ++at) given[at] = at * 2654435761U % 7 < 3 ? 1 : 0;
  // Keys outermost in memory.
  const any_view array(given.data(), dtype::boolean, {{"seq", queries, 1}, {"kv_seq", keys, queries}});
  const std::array inputs{side_input{"mask", array}};
  const mask found = whole(mask_rows(layer.values(), inputs, {}));
  ASSERT_EQ(found.kept.size(), given.size());
  for (std::int64_t query = 0; query < queries; ++query) {
    for (std::int64_t key = 0; key < keys; ++key) {
      ASSERT_EQ(found.at(query, key), given[static_cast<std::size_t>(key * queries + query)] != 0);
    }
  }
}

// Ids of documents are given and positions are made.
TEST(MaskRows, DocumentsWithMadePositions) {
  const any_layer layer = layer_of(
      R"("all": [{"type": "ApplyCausalSlidingWindowAttentionMask", "sliding_window_size": 2},
                 {"type": "ApplyDocumentAttentionMask"}])");
  std::vector<std::int32_t> ids{0, 0, 0, 1, 1, -1};
  const any_view array(ids.data(), dtype::int32, {{"seq", 6, 1}});
  const std::array inputs{side_input{"segment_ids", array}};
  const mask_rows rows(layer.values(), inputs, {});
  const mask found = whole(rows);
  for (std::int64_t query = 0; query < 6; ++query) {
    for (std::int64_t key = 0; key < 6; ++key) {
      const auto id = [&](std::int64_t at) { return ids[static_cast<std::size_t>(at)]; };
      ASSERT_EQ(found.at(query, key),
                (keeps<Window>(query, key, 2) && keeps<ApplyDocumentAttentionMask<>>(id(query), id(key))));
    }
  }
  EXPECT_EQ(rows.query_padding(), (std::vector<bool>{false, false, false, false, false, true}));
}

std::string failure_of(const std::string& mask, std::span<const side_input> inputs, const mask_choice& choice) {
  try {
    const any_layer layer = layer_of(mask);
    (void)mask_rows(layer.values(), inputs, choice);
  } catch (const error& problem) {
    return std::string(problem.what()).substr(10);
  }
  return "nothing is wrong";
}

TEST(MaskRows, Errors) {
  std::vector<std::int32_t> positions(6);
  const side_input given{"token_positions", any_view(positions.data(), dtype::int32, {{"seq", 6, 1}})};
  const std::string heads =
      R"("type": "ApplyCausalSlidingWindowAttentionMask", "sliding_window_size": {"axis": "heads", "values": [1, 3]})";
  const std::string two_names = window + R"(, "query_positions_input_name": "q")";
  EXPECT_EQ(failure_of(window, {}, {}),
            "error[mask-size] queries: nothing tells the size of the axis \"seq\"; "
            "give it, or side inputs that lie along the axis");
  EXPECT_EQ(failure_of(window, {}, {.queries = 0}),
            "error[mask-size] queries: the axis \"seq\" has the size 0; give a size from 1 to 2147483647");
  EXPECT_EQ(failure_of(window, {}, {.queries = 1, .keys = std::int64_t{1} << 31}),
            "error[mask-size] keys: the axis \"kv_seq\" has the size 2147483648; give a size from 1 to 2147483647");
  EXPECT_EQ(failure_of(window, {}, {.queries = 1 << 18, .keys = (1 << 18) + 1}),
            "error[mask-size] queries: 262144 x 262145 logits are more than 2^36; give smaller sizes");
  EXPECT_EQ(failure_of(window, {}, {.queries = 4, .keys = 3}),
            "error[mask-size] keys: 4 queries are to be the last of 3 keys; "
            "give at least as many keys, or the positions of both");
  EXPECT_EQ(failure_of(window, std::array{given}, {.queries = 4}),
            "error[axis-size] token_positions: its axis \"seq\" has size 6, and that of the logits has 4; "
            "give one element for each index of the logits' axis");
  EXPECT_EQ(failure_of(two_names, std::array{given}, {}),
            "error[side-input-missing] q: the side input \"q\" is missing; given: \"token_positions\"; "
            "give it, or set the layer's query_positions_input_name");
  EXPECT_EQ(failure_of(R"("type": "ApplyDocumentAttentionMask")", {}, {.queries = 3}),
            "error[side-input-missing] segment_ids: the side input \"segment_ids\" is missing; given: none; "
            "give it, or set the layer's query_segment_ids_input_name");
  EXPECT_EQ(failure_of(window, std::array{given, given}, {}),
            "error[side-input-twice] token_positions: the side input \"token_positions\" is given twice; "
            "leave one of them out");
  EXPECT_EQ(failure_of(heads, {}, {.queries = 3, .at = {{"head", 1}}}),
            "error[mask-index] at: the mask does not change along an axis \"head\"; it changes along \"heads\" "
            "(did you mean \"heads\"?); give an index along an axis of the side inputs or of a layer's numbers");
  EXPECT_EQ(failure_of(heads, {}, {.queries = 3, .at = {{"heads", 2}}}),
            "error[mask-index] at: there is no index 2 along the axis \"heads\", whose size is 2; "
            "give an index that is less than the size, and at least 0");
}

}  // namespace
