// Spans and exact plans: of every layer on random calls, compared with the reference; rules for rows that see nothing;
// a million tokens.
#include "axismask/spans.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <numeric>
#include <optional>
#include <string>
#include <vector>

#include "axismask/forms.hpp"
#include "axismask/layers.hpp"
#include "axismask/linked.hpp"
#include "axismask/mask.hpp"
#include "random_call.hpp"

namespace axismask {
namespace {

using namespace test;  // NOLINT(google-build-using-namespace): random calls

// What the reference keeps of each row of a layer's planes.
std::vector<std::vector<bool>> reference(const random_call& call, const std::vector<named_axis>& axes,
                                         const row_spans& found) {
  std::vector<std::vector<bool>> rows(static_cast<std::size_t>(found.planes * found.queries),
                                      std::vector<bool>(static_cast<std::size_t>(found.keys)));
  const std::size_t query = axis_named(axes, "seq");
  const std::size_t key = axis_named(axes, "kv_seq");
  std::vector<std::size_t> planes;
  for (const std::string& axis : found.plane_axes) planes.push_back(axis_named(axes, axis));
  for_each_index(axes, [&](const std::vector<std::int64_t>& index) {
    std::int64_t plane = 0;
    for (std::size_t at = 0; at < planes.size(); ++at) plane = plane * found.plane_sizes[at] + index[planes[at]];
    rows[static_cast<std::size_t>(plane * found.queries + index[query])][static_cast<std::size_t>(index[key])] =
        call.keeps(index);
  });
  return rows;
}

// The same from spans, which must be in order and apart.
std::vector<std::vector<bool>> rows_of(const row_spans& found) {
  std::vector<std::vector<bool>> rows(static_cast<std::size_t>(found.planes * found.queries),
                                      std::vector<bool>(static_cast<std::size_t>(found.keys)));
  EXPECT_EQ(found.starts.size(), rows.size() + 1);
  EXPECT_EQ(found.starts.front(), 0);
  EXPECT_EQ(static_cast<std::size_t>(found.starts.back()), found.begins.size());
  EXPECT_EQ(found.begins.size(), found.ends.size());
  for (std::size_t row = 0; row < rows.size(); ++row) {
    std::int64_t before = -1;
    for (std::int64_t span = found.starts[row]; span < found.starts[row + 1]; ++span) {
      const std::int64_t begin = found.begins[static_cast<std::size_t>(span)];
      const std::int64_t end = found.ends[static_cast<std::size_t>(span)];
      EXPECT_LT(before, begin);
      EXPECT_LT(begin, end);
      EXPECT_LE(end, found.keys);
      for (std::int64_t key = begin; key < end; ++key) rows[row][static_cast<std::size_t>(key)] = true;
      before = end;
    }
  }
  return rows;
}

void check_exact(const tile_plan& plan, const std::vector<std::vector<bool>>& rows) {
  for (std::int64_t plane = 0; plane < plan.planes; ++plane) {
    for (std::int64_t row = 0; row < plan.rows_per_plane; ++row) {
      for (std::int64_t column = 0; column < plan.columns; ++column) {
        bool any = false;
        bool every = true;
        for (std::int64_t query = row * plan.tile.queries;
             query < std::min((row + 1) * plan.tile.queries, plan.queries); ++query) {
          for (std::int64_t key = column * plan.tile.keys; key < std::min((column + 1) * plan.tile.keys, plan.keys);
               ++key) {
            const bool kept =
                rows[static_cast<std::size_t>(plane * plan.queries + query)][static_cast<std::size_t>(key)];
            any = any || kept;
            every = every && kept;
          }
        }
        ASSERT_EQ(plan.at(plane, row, column), every ? verdict::all : any ? verdict::some : verdict::none);
      }
    }
  }
}

TEST(spans, equal_the_reference_in_every_layer) {
  random_source random(13);
  int planned = 0;
  for (const layer_library* library : linked_libraries()) {
    for (const linked_layer& layer : library->layers) {
      for (int repeat = 0; repeat < 100; repeat += AXISMASK_TEST_CASE_STEP) {
        SCOPED_TRACE(std::string(layer.type->name) + " case " + std::to_string(repeat));
        const std::vector<named_axis> axes = random_axes(random, repeat >= 85);
        // Nothing tells of an axis without elements that no side input has.
        const bool is_empty = std::any_of(axes.begin(), axes.end(), [](const named_axis& axis) {
          return axis.size == 0 && axis.name != "seq" && axis.name != "kv_seq";
        });
        if (is_empty) continue;
        const random_call call(random, layer, axes);
        std::optional<row_spans> found;
        try {
          found = spans(call.values, call.inputs, {.threads = static_cast<int>(pick(random, 1, 3))});
        } catch (const error& problem) {
          ASSERT_EQ(problem.id(), "plan-axes");
          continue;
        }
        ++planned;
        const auto rows = reference(call, axes, *found);
        ASSERT_EQ(rows_of(*found), rows);
        check_exact(exact_plan(call.values, {pick(random, 1, 40), pick(random, 1, 40)}, call.inputs), rows);
        if (HasFatalFailure()) return;
      }
    }
  }
  EXPECT_GT(planned, 1000 / AXISMASK_TEST_CASE_STEP);
}

// Many prompts in rings: threads get shares of rows, and what they find is joined.
TEST(spans, threads_share_many_rows) {
  constexpr std::int64_t batch = 800;
  constexpr std::int64_t tokens = 24;
  named_array<int, axes<"batch", "seq">> positions({batch, tokens});
  for (std::int64_t row = 0; row < batch; ++row) {
    for (std::int64_t at = 0; at < tokens; ++at) {
      positions(row, at) = static_cast<int>((at + row) % (tokens + row % 3)) - static_cast<int>(row % 5);
    }
  }
  const ApplyCausalSlidingWindowAttentionMask<> window{.masked_out_value = -1, .sliding_window_size = 7};
  const row_spans one = spans(call_options{.threads = 1}, window, input<"token_positions">(positions));
  const row_spans three = spans(call_options{.threads = 3}, window, input<"token_positions">(positions));
  EXPECT_EQ(one.planes, batch);
  EXPECT_GT(one.begins.size(), static_cast<std::size_t>(batch * tokens));
  EXPECT_EQ(three.starts, one.starts);
  EXPECT_EQ(three.begins, one.begins);
  EXPECT_EQ(three.ends, one.ends);
}

TEST(spans, rows_that_see_nothing_follow_the_rule) {
  const ApplyCausalAttentionMask<> causal{.masked_out_value = masked_value::lowest()};
  const std::array<int, 4> numbers{-1, 5, -1, 6};
  const named_view<const int, axes<"seq">> positions(numbers.data(), {4});
  const row_spans masked = spans(causal, input<"token_positions">(positions));
  EXPECT_EQ(masked.starts, (std::vector<std::int64_t>{0, 0, 1, 1, 3}));
  const auto self = with_empty_rows<empty_row_rule::keep_self>(causal);
  const row_spans kept = spans(call_options{.threads = 1}, self, input<"token_positions">(positions));
  EXPECT_EQ(kept.starts, (std::vector<std::int64_t>{0, 2, 3, 5, 7}));
  EXPECT_EQ(kept.begins, (std::vector<std::int64_t>{0, 2, 1, 0, 2, 1, 3}));
  EXPECT_EQ(kept.ends, (std::vector<std::int64_t>{1, 3, 2, 1, 3, 2, 4}));
  const tile_plan tiles = exact_plan(self, {1, 1}, input<"token_positions">(positions));
  EXPECT_EQ(tiles.at(0, 0, 0), verdict::all);
  EXPECT_EQ(tiles.at(0, 0, 1), verdict::none);
  EXPECT_EQ(tiles.at(0, 2, 2), verdict::all);
  EXPECT_EQ(exact_plan(self, {4, 4}, input<"token_positions">(positions)).at(0, 0, 0), verdict::some);
  try {
    static_cast<void>(spans(with_empty_rows<empty_row_rule::error>(causal), input<"token_positions">(positions)));
    FAIL();
  } catch (const error& problem) {
    EXPECT_EQ(problem.id(), "empty-row");
  }
}

// Every second position under a dilation of 2: bounds of positions cannot tell that all of them are kept.
TEST(spans, what_bounds_leave_open_is_settled) {
  const ApplyDilatedWindowAttentionMask<> dilated{
      .masked_out_value = masked_value::lowest(), .sliding_window_size = 64, .dilation = 2};
  std::vector<int> numbers(256);
  for (std::size_t at = 0; at < numbers.size(); ++at) numbers[at] = 2 * static_cast<int>(at);
  const named_view<const int, axes<"seq">> positions(numbers.data(), {256});
  const tile_plan even = exact_plan(dilated, {16, 16}, input<"token_positions">(positions));
  EXPECT_GT(even.count(verdict::all), 0);
  const tile_plan bounds = plan(dilated, {16, 16}, input<"token_positions">(positions));
  EXPECT_EQ(bounds.count(verdict::all), 0);
}

TEST(spans, of_a_million_tokens_are_those_of_a_window) {
  const ApplyCausalSlidingWindowAttentionMask<> local{.masked_out_value = masked_value::lowest(),
                                                      .sliding_window_size = 1024};
  constexpr std::int64_t tokens = AXISMASK_TEST_CASE_STEP == 1 ? 1 << 20 : 1 << 14;
  std::vector<int> numbers(static_cast<std::size_t>(tokens));
  std::iota(numbers.begin(), numbers.end(), 0);
  const named_view<const int, axes<"seq">> positions(numbers.data(), {tokens});
  const row_spans found = spans(local, input<"token_positions">(positions));
  ASSERT_EQ(found.begins.size(), static_cast<std::size_t>(tokens));
  for (std::int64_t query = 0; query < tokens; ++query) {
    const auto at = static_cast<std::size_t>(query);
    ASSERT_EQ(found.starts[at], query);
    ASSERT_EQ(found.begins[at], std::max<std::int64_t>(0, query - 1023));
    ASSERT_EQ(found.ends[at], query + 1);
  }
}

// Each of these would be read by the processor.
// Positions of 64 bits are made narrow, and an empty array has no memory.
TEST(spans, of_no_queries_or_keys_there_are_none) {
  const ApplyCausalSlidingWindowAttentionMask<count, "q", "k"> local{.masked_out_value = -1, .sliding_window_size = 3};
  const std::array<std::int64_t, 5> places{0, 1, 2, 3, 4};
  for (const std::int64_t queries : {0, 5}) {
    for (const std::int64_t keys : {0, 5}) {
      const named_view<const std::int64_t, axes<"seq">> q(queries > 0 ? places.data() : nullptr, {queries});
      const named_view<const std::int64_t, axes<"kv_seq">> k(keys > 0 ? places.data() : nullptr, {keys});
      const row_spans found = spans(local, input<"q">(q), input<"k">(k));
      EXPECT_EQ(found.starts.size(), static_cast<std::size_t>(queries + 1));
      EXPECT_EQ(found.begins.size(), queries > 0 && keys > 0 ? 5U : 0U);
    }
  }
}

TEST(spans, what_is_in_a_devices_memory_is_refused) {
  const ApplyCausalAttentionMask<> causal{.masked_out_value = masked_value::lowest()};
  const std::array<int, 2> numbers{0, 1};
  const auto there = named_view<const int, axes<"seq">>(numbers.data(), {2}).in_device_memory();
  const auto message = [](const auto& make) {
    try {
      static_cast<void>(make());
    } catch (const error& problem) {
      return std::string(problem.what());
    }
    return std::string("nothing was wrong");
  };
  const std::string refused =
      "axismask: error[device-memory] token_positions: it is in a device's memory, and plans are made by the "
      "processor; "
      "give memory of the host";
  EXPECT_EQ(message([&] { return spans(causal, input<"token_positions">(there)); }), refused);
  EXPECT_EQ(message([&] { return plan(causal, {1, 1}, input<"token_positions">(there)); }), refused);
  EXPECT_EQ(message([&] { return exact_plan(causal, {1, 1}, input<"token_positions">(there)); }), refused);

  const named_view<const int, axes<"seq">> here(numbers.data(), {2});
  const auto with_table = [&](const page_table& table) {
    return message([&] {
      return write_form("flex-pages", causal, {.tile = {1, 1}, .pages = table}, input<"token_positions">(here));
    });
  };
  const any_view table(numbers.data(), dtype::int32, {{"sequences", 1}, {"pages", 2}});
  EXPECT_EQ(with_table({table, 2}), "nothing was wrong");
  EXPECT_EQ(with_table({table.in_device_memory(), 2}),
            "axismask: error[form-pages] pages: the table of pages is in a device's memory; give a table in memory of "
            "the host");
  EXPECT_EQ(
      with_table({any_view(static_cast<int*>(nullptr), dtype::int32, table.axes()), 2}),
      "axismask: error[form-pages] pages: the table of pages has elements and no memory; give a table in memory of "
      "the host");
  EXPECT_EQ(
      with_table({table, -1}),
      "axismask: error[form-pages] pages: the cache has -1 pages; give how many there are, or 0 for as many as the "
      "table says");
}

TEST(spans, a_layer_without_queries_and_keys_has_none) {
  try {
    const ApplyExplicitAttentionMask<> mask{.masked_out_value = masked_value::lowest()};
    const std::array<bool, 1> memory{true};
    const named_view<const bool, axes<"seq", "kv_seq">> kept(memory.data(), {1, 1});
    static_cast<void>(spans(mask, input<"mask">(kept)));
    FAIL();
  } catch (const error& problem) {
    EXPECT_STREQ(
        problem.what(),
        "axismask: error[plan-axes] ApplyExplicitAttentionMask: it has no query and key axes to plan along; plan "
        "a layer that has positions of queries and keys");
  }
}

}  // namespace
}  // namespace axismask
