// Tile plans and the interval reading that they come from: never wrong in "all" and "none", and exact for the shipped
// masks where positions follow each other.
#include "axismask/plan.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <limits>
#include <random>
#include <string>
#include <vector>

#include "axismask/compose.hpp"
#include "axismask/layers.hpp"

namespace axismask {
namespace {

using random_source = std::mt19937_64;

std::int64_t pick(random_source& random, std::int64_t lowest, std::int64_t highest) {
  return std::uniform_int_distribution<std::int64_t>(lowest, highest)(random);
}

// A `keep` of a user's, with every operator and operands that leave 64 bits.
struct Everything {
  AXISMASK_LAYER(Everything,
                 (masked_value, masked_out_value),
                 (count, first),
                 (count, second),
                 (mask, mask_input_name, "visible"),
                 (query_positions, query_positions_input_name, "token_positions"),
                 (kv_positions, kv_positions_input_name, "token_positions"),
                 (query_axis, seq_axis, "seq"),
                 (kv_axis, kv_seq_axis, "kv_seq"))

  template <class B, class P, class N>
  static constexpr auto keep(B visible, P q, P k, N first, N second) {
    return (visible && (q - k) % first <= (k * second) % (first + 1)) || (-q / second == k / first && q * k != first) ||
           !(q + first > k * 3) || (q / (k - 2) < q % (second - first));
  }
};

// Its keys have no positions.
struct OfQueries {
  AXISMASK_LAYER(OfQueries,
                 (masked_value, masked_out_value),
                 (query_positions, query_positions_input_name, "token_positions"),
                 (query_axis, seq_axis, "seq"),
                 (kv_axis, kv_seq_axis, "kv_seq"))

  template <class P>
  static constexpr auto keep(P q) {
    return q >= 0;
  }
};

// For numbers within small intervals: what `keep` really does with all of them, against what the intervals say.
template <class Layer>
void check_verdicts(random_source& random, int cases, bool extremes) {
  const layer_type& type = layer_type_of<Layer>;
  int decided = 0;
  for (int at = 0; at < cases; ++at) {
    std::vector<interval> within;
    std::vector<std::int64_t> sizes;
    for (const std::size_t index : type.operands) {
      const attribute_kind kind = type.attributes[index].kind;
      std::int64_t lowest = pick(random, -30, 60);
      std::int64_t size = pick(random, 1, 6);
      if (kind == attribute_kind::parameter) {
        lowest = pick(random, 1, 20);
        size = 1;
      } else if (kind == attribute_kind::mask) {
        lowest = pick(random, 0, 1);
        size = pick(random, 1, 2 - lowest);
      } else if (extremes && pick(random, 0, 2) == 0) {
        lowest = pick(random, 0, 1) == 0 ? std::numeric_limits<std::int64_t>::min()
                                         : std::numeric_limits<std::int64_t>::max() - size + 1;
      }
      within.emplace_back(integer(lowest), integer(lowest + (size - 1)));
      sizes.push_back(size);
    }
    std::vector<std::int64_t> index(sizes.size(), 0);
    bool any_kept = false;
    bool any_masked = false;
    for (bool more = true; more;) {
      std::vector<std::int64_t> operands;
      for (std::size_t place = 0; place < sizes.size(); ++place)
        operands.push_back(within[place].lowest() + index[place]);
      (type.keep(operands) ? any_kept : any_masked) = true;
      std::size_t place = 0;
      while (place < sizes.size() && ++index[place] == sizes[place]) index[place++] = 0;
      more = place < sizes.size();
    }
    const verdict said = type.keep_within(within);
    if (said == verdict::all) {
      ASSERT_FALSE(any_masked) << type.name;
    } else if (said == verdict::none) {
      ASSERT_FALSE(any_kept) << type.name;
    }
    decided += said == verdict::some ? 0 : 1;
  }
  EXPECT_GT(decided, cases / 50) << type.name << ": nearly never decided";
}

TEST(verdicts, are_never_wrong) {
  random_source random(11);
  for (const bool extremes : {false, true}) {
    check_verdicts<ApplyCausalSlidingWindowAttentionMask<>>(random, 20000, extremes);
    check_verdicts<ApplyCausalAttentionMask<>>(random, 20000, extremes);
    check_verdicts<ApplyBidirectionalWindowAttentionMask<>>(random, 20000, extremes);
    check_verdicts<ApplyBlockCausalAttentionMask<>>(random, 20000, extremes);
    check_verdicts<ApplyChunkedAttentionMask<>>(random, 20000, extremes);
    check_verdicts<ApplyDilatedWindowAttentionMask<>>(random, 20000, extremes);
    check_verdicts<ApplyDocumentAttentionMask<>>(random, 20000, extremes);
    check_verdicts<ApplyExplicitAttentionMask<>>(random, 20000, extremes);
    check_verdicts<ApplyLeftPaddingAttentionMask<>>(random, 20000, extremes);
    check_verdicts<ApplyPrefixLmAttentionMask<>>(random, 20000, extremes);
    check_verdicts<ApplyRightPaddingAttentionMask<>>(random, 20000, extremes);
    check_verdicts<ApplySinksAttentionMask<>>(random, 20000, extremes);
    check_verdicts<Everything>(random, 20000, extremes);
    check_verdicts<
        any_of<all_of<Everything, ApplyCausalSlidingWindowAttentionMask<>>, not_of<ApplyCausalAttentionMask<>>>>(
        random, 300, extremes);
  }
}

TEST(verdicts, of_single_numbers_are_the_integer_reading) {
  random_source random(12);
  const layer_type& type = layer_type_of<Everything>;
  for (int at = 0; at < 100000; ++at) {
    std::vector<std::int64_t> operands{pick(random, 0, 1)};
    for (int place = 0; place < 2; ++place) {
      operands.push_back(pick(random, 0, 3) == 0 ? static_cast<std::int64_t>(random()) : pick(random, -9, 9));
    }
    for (int place = 0; place < 2; ++place) operands.push_back(pick(random, 1, 12));
    const std::vector<interval> within(operands.begin(), operands.end());
    const verdict said = type.keep_within(within);
    if (said == verdict::some) continue;  // where saturated bounds meet
    ASSERT_EQ(said == verdict::all, type.keep(operands));
  }
}

// A plan for positions that start somewhere and follow each other, against every element.
template <class Layer>
void check_exact(random_source& random, const Layer& layer) {
  const std::int64_t queries = pick(random, 1, 90);
  const std::int64_t keys = pick(random, 1, 90);
  const std::int64_t first_query = pick(random, 0, 60);
  const std::int64_t first_key = pick(random, 0, 60);
  std::vector<std::int32_t> at(static_cast<std::size_t>(queries));
  std::vector<std::int64_t> cached(static_cast<std::size_t>(keys));
  for (std::size_t index = 0; index < at.size(); ++index)
    at[index] = static_cast<std::int32_t>(first_query + static_cast<std::int64_t>(index));
  for (std::size_t index = 0; index < cached.size(); ++index)
    cached[index] = first_key + static_cast<std::int64_t>(index);
  const tile_size tile{pick(random, 1, 16), pick(random, 1, 16)};
  const tile_plan found = plan(layer, tile, input<"q">(named_view<std::int32_t, axes<"seq">>(at.data(), {queries})),
                               input<"k">(named_view<std::int64_t, axes<"seq">>(cached.data(), {keys})));
  ASSERT_EQ(found.rows_per_plane, (queries + tile.queries - 1) / tile.queries);
  ASSERT_EQ(found.columns, (keys + tile.keys - 1) / tile.keys);
  ASSERT_EQ(found.planes, 1);
  std::vector<std::int64_t> numbers(layer_type_of<Layer>.operands.size());
  with_values(layer, [&](const layer_values& values) {
    for (std::size_t place = 2; place < numbers.size(); ++place) {
      numbers[place] = values.attributes[values.type->operands[place]].number;
    }
    return 0;
  });
  for (std::int64_t row = 0; row < found.rows_per_plane; ++row) {
    for (std::int64_t column = 0; column < found.columns; ++column) {
      bool any_kept = false;
      bool any_masked = false;
      for (std::int64_t query = row * tile.queries; query < std::min((row + 1) * tile.queries, queries); ++query) {
        for (std::int64_t key = column * tile.keys; key < std::min((column + 1) * tile.keys, keys); ++key) {
          numbers[0] = at[static_cast<std::size_t>(query)];
          numbers[1] = cached[static_cast<std::size_t>(key)];
          (layer_type_of<Layer>.keep(numbers) ? any_kept : any_masked) = true;
        }
      }
      const verdict want = any_kept && any_masked ? verdict::some : any_kept ? verdict::all : verdict::none;
      ASSERT_EQ(found.at(0, row, column), want) << layer_type_of<Layer>.name << " row " << row << " column " << column;
    }
  }
}

TEST(plans, are_exact_where_positions_follow_each_other) {
  random_source random(13);
  for (int repeat = 0; repeat < 300; ++repeat) {
    const count window = pick(random, 1, 40);
    check_exact(random, ApplyCausalSlidingWindowAttentionMask<count, "q", "k">{.masked_out_value = 0,
                                                                               .sliding_window_size = window});
    check_exact(random, ApplyCausalAttentionMask<"q", "k">{.masked_out_value = 0});
    check_exact(random,
                ApplyBidirectionalWindowAttentionMask<whole, whole, "q", "k">{
                    .masked_out_value = 0, .window_left = pick(random, 0, 30), .window_right = pick(random, 0, 30)});
    check_exact(random, ApplyBlockCausalAttentionMask<count, "q", "k">{.masked_out_value = 0, .block_size = window});
    check_exact(random,
                ApplyChunkedAttentionMask<count, "q", "k">{.masked_out_value = 0, .attention_chunk_size = window});
    check_exact(random, ApplyDilatedWindowAttentionMask<count, count, "q", "k">{
                            .masked_out_value = 0, .sliding_window_size = window, .dilation = pick(random, 1, 9)});
    if (HasFatalFailure()) return;
  }
}

// A plan of positions that follow each other, and of ids that are the same all over each tile, against every element.
template <class Layer>
void check_exact_of_spans(random_source& random, const Layer& layer) {
  const std::int64_t side = pick(random, 1, 8);
  const std::int64_t tokens = side * pick(random, 1, 9);
  std::vector<std::int32_t> positions(static_cast<std::size_t>(tokens));
  std::vector<std::int32_t> ids(static_cast<std::size_t>(tokens));
  std::int32_t span = 0;
  bool is_text = true;
  for (std::int64_t token = 0; token < tokens; ++token) {
    if (token % side == 0 && pick(random, 0, 1) == 0) {
      is_text = pick(random, 0, 1) == 0;
      ++span;
    }
    positions[static_cast<std::size_t>(token)] = static_cast<std::int32_t>(token);
    ids[static_cast<std::size_t>(token)] = is_text ? -1 : span;
  }
  using row = named_view<std::int32_t, axes<"seq">>;
  const tile_plan found = plan(layer, {side, side}, input<"token_positions">(row(positions.data(), {tokens})),
                               input<"segment_ids">(row(ids.data(), {tokens})));
  std::vector<std::int64_t> numbers(layer_type_of<Layer>.operands.size());
  const auto keeps_at = [&](std::int64_t query, std::int64_t key) {
    return with_values(layer, [&](const layer_values& values) {
      for (std::size_t place = 0; place < numbers.size(); ++place) {
        const std::size_t index = values.type->operands[place];
        const attribute_kind kind = values.type->attributes[index].kind;
        const bool is_id = values.attributes[index].name == "segment_ids";
        const bool is_query = kind == attribute_kind::query_positions;
        const auto at = static_cast<std::size_t>(is_query ? query : key);
        numbers[place] = kind == attribute_kind::parameter ? values.attributes[index].number
                                                           : std::int64_t{is_id ? ids[at] : positions[at]};
      }
      return layer_type_of<Layer>.keep(numbers);
    });
  };
  for (std::int64_t row_of = 0; row_of < found.rows_per_plane; ++row_of) {
    for (std::int64_t column = 0; column < found.columns; ++column) {
      bool any_kept = false;
      bool any_masked = false;
      for (std::int64_t at = 0; at < side * side; ++at) {
        (keeps_at(row_of * side + at / side, column * side + at % side) ? any_kept : any_masked) = true;
      }
      const verdict want = any_kept && any_masked ? verdict::some : any_kept ? verdict::all : verdict::none;
      ASSERT_EQ(found.at(0, row_of, column), want)
          << layer_type_of<Layer>.name << " row " << row_of << " column " << column << " of tiles of " << side;
    }
  }
}

TEST(plans, of_spans_are_exact_where_tiles_lie_within_them) {
  random_source random(14);
  const ApplyCausalAttentionMask<> causal{.masked_out_value = 0};
  const ApplyDocumentAttentionMask<> same{.masked_out_value = 0};
  for (int repeat = 0; repeat < 300; ++repeat) {
    const std::int64_t window = pick(random, 1, 40);
    const ApplyCausalSlidingWindowAttentionMask<> local{.masked_out_value = 0, .sliding_window_size = window};
    const ApplyBidirectionalWindowAttentionMask<> around{
        .masked_out_value = 0, .window_left = window - 1, .window_right = std::int64_t{1} << 26};
    check_exact_of_spans(random, causal & same);
    check_exact_of_spans(random, causal | same);
    check_exact_of_spans(random, around & (causal | same));
    check_exact_of_spans(random, local & same);
    if (HasFatalFailure()) return;
  }
}

TEST(plans, have_a_plane_for_each_index_along_which_inputs_differ) {
  // Two prompts, the second padded by 4 on the left; windows of 2 and 8 for two heads.
  std::array<std::int32_t, 16> positions{0, 1, 2, 3, 4, 5, 6, 7, -1, -1, -1, -1, 0, 1, 2, 3};
  const std::array<std::int64_t, 2> windows{2, 8};
  const ApplyCausalSlidingWindowAttentionMask<counts_over<axes<"heads">>> local{
      .masked_out_value = 0, .sliding_window_size = {windows.data(), {2}}};
  const tile_plan found =
      plan(local, {4, 4},
           input<"token_positions">(named_view<std::int32_t, axes<"batch", "seq">>(positions.data(), {2, 8})));
  EXPECT_EQ(found.plane_axes, (std::vector<std::string>{"heads", "batch"}));
  EXPECT_EQ(found.plane_sizes, (std::vector<std::int64_t>{2, 2}));
  EXPECT_EQ(found.planes, 4);
  EXPECT_EQ(found.starts.size(), 9U);
  const auto row_of = [&](std::int64_t plane, std::int64_t row) {
    std::string text;
    for (std::int64_t column = 0; column < found.columns; ++column) {
      text += found.at(plane, row, column) == verdict::all    ? 'x'
              : found.at(plane, row, column) == verdict::some ? '/'
                                                              : '.';
    }
    return text;
  };
  EXPECT_EQ(row_of(0, 0), "/.");  // a window of 2, first prompt
  EXPECT_EQ(row_of(0, 1), "//");
  EXPECT_EQ(row_of(1, 0), "..");  // second prompt: the first tile row is padding
  EXPECT_EQ(row_of(1, 1), "./");
  EXPECT_EQ(row_of(2, 0), "/.");  // a window of 8
  EXPECT_EQ(row_of(2, 1), "x/");
  EXPECT_EQ(row_of(3, 1), "./");
  EXPECT_EQ(found.tile_count(), 16);
  EXPECT_EQ(found.count(verdict::none) + found.count(verdict::some) + found.count(verdict::all), 16);
  const tile_plan::list partial = found.list_of(verdict::some);
  EXPECT_EQ(partial.starts, (std::vector<std::int64_t>{0, 1, 3, 3, 4, 5, 6, 6, 7}));
  EXPECT_EQ(partial.tiles, (std::vector<std::int32_t>{0, 0, 1, 1, 0, 1, 1}));
  const tile_plan::list full = found.list_of(verdict::all);
  EXPECT_EQ(full.starts, (std::vector<std::int64_t>{0, 0, 0, 0, 0, 0, 1, 1, 1}));
  EXPECT_EQ(full.tiles, (std::vector<std::int32_t>{0}));
}

TEST(plans, of_a_million_tokens_grow_with_the_window_and_not_with_the_square) {
  constexpr std::int64_t tokens = 1 << 20;
  std::vector<std::int32_t> positions(tokens);
  for (std::int32_t token = 0; token < tokens; ++token) positions[static_cast<std::size_t>(token)] = token;
  const ApplyCausalSlidingWindowAttentionMask<> local{.masked_out_value = 0, .sliding_window_size = 1024};
  const tile_plan found =
      plan(local, {}, input<"token_positions">(named_view<std::int32_t, axes<"seq">>(positions.data(), {tokens})));
  // Each row of tiles: the diagonal one, 7 whole ones before it, and the one where the window ends.
  EXPECT_EQ(found.count(verdict::some), 2 * 8192 - 8);
  EXPECT_EQ(found.count(verdict::all), 7 * 8192 - 28);
}

// Quotients and remainders of the extremes of 64 bits, by divisors of every sign.
TEST(verdicts, hold_at_the_ends_of_64_bits) {
  constexpr std::int64_t lowest = std::numeric_limits<std::int64_t>::min();
  constexpr std::int64_t highest = std::numeric_limits<std::int64_t>::max();
  const std::vector<std::int64_t> corners{lowest, lowest + 1, -3, -2, -1, 0, 1, 2, 3, highest - 1, highest};
  const auto holds = [](interval bounds, integer value) {
    return bounds.lowest() <= value.value() && value.value() <= bounds.highest();
  };
  for (std::size_t a_first = 0; a_first < corners.size(); ++a_first) {
    for (std::size_t a_last = a_first; a_last < corners.size(); ++a_last) {
      for (std::size_t b_first = 0; b_first < corners.size(); ++b_first) {
        for (std::size_t b_last = b_first; b_last < corners.size(); ++b_last) {
          const interval a(integer{corners[a_first]}, integer{corners[a_last]});
          const interval b(integer{corners[b_first]}, integer{corners[b_last]});
          for (std::size_t x = a_first; x <= a_last; ++x) {
            for (std::size_t y = b_first; y <= b_last; ++y) {
              const integer left(corners[x]);
              const integer right(corners[y]);
              ASSERT_TRUE(holds(a + b, left + right) && holds(a - b, left - right) && holds(a * b, left * right) &&
                          holds(a / b, left / right) && holds(a % b, left % right))
                  << corners[x] << " and " << corners[y];
            }
          }
        }
      }
    }
  }
}

TEST(plans, have_tiles_no_larger_than_the_logits) {
  std::array<std::int32_t, 4> positions{0, 1, 2, 3};
  const ApplyCausalSlidingWindowAttentionMask<> local{.masked_out_value = 0, .sliding_window_size = 2};
  const tile_plan found = plan(local, {std::numeric_limits<std::int64_t>::max(), 2},
                               input<"token_positions">(named_view<std::int32_t, axes<"seq">>(positions.data(), {4})));
  EXPECT_EQ(found.tile.queries, 4);
  EXPECT_EQ(found.rows_per_plane, 1);
  EXPECT_EQ(found.count(verdict::some), 2);
}

TEST(plans, of_one_query_and_of_none_have_tiles_of_one) {
  std::array<std::int32_t, 1> position{0};
  const ApplyCausalAttentionMask<"q", "k"> causal{.masked_out_value = 0};
  for (const std::int64_t count : {0, 1}) {
    const auto one = named_view<std::int32_t, axes<"seq">>(position.data(), {1});
    const auto some = named_view<std::int32_t, axes<"seq">>(position.data(), {count});
    const tile_plan of_queries = plan(causal, {128, 128}, input<"q">(some), input<"k">(one));
    EXPECT_EQ(of_queries.tile.queries, 1);
    EXPECT_EQ(of_queries.tile_count(), count);
    const tile_plan of_keys = plan(causal, {128, 128}, input<"q">(one), input<"k">(some));
    EXPECT_EQ(of_keys.tile.keys, 1);
    EXPECT_EQ(of_keys.tile_count(), count);
  }
}

// Wherever in a tile the key lies that is not as the others: positions are read several at a time.
template <class Position>
void check_one_that_differs(std::int64_t count, std::int64_t tile) {
  const ApplyCausalAttentionMask<"q", "k"> causal{.masked_out_value = 0};
  std::array<std::int32_t, 1> query{50};
  for (const bool others_are_seen : {false, true}) {
    std::vector<Position> keys(static_cast<std::size_t>(count), others_are_seen ? 0 : 100);
    for (std::int64_t at = 0; at < count; ++at) {
      keys[static_cast<std::size_t>(at)] = others_are_seen ? 100 : 0;
      const tile_plan found =
          plan(causal, {1, tile}, input<"q">(named_view<std::int32_t, axes<"seq">>(query.data(), {1})),
               input<"k">(named_view<Position, axes<"seq">>(keys.data(), {count})));
      for (std::int64_t column = 0; column < found.columns; ++column) {
        const verdict others = others_are_seen ? verdict::all : verdict::none;
        const verdict own = std::min(tile, count - column * tile) > 1 ? verdict::some
                            : others_are_seen                         ? verdict::none
                                                                      : verdict::all;
        ASSERT_EQ(found.at(0, 0, column), column == at / tile ? own : others) << count << " " << tile << " " << at;
      }
      keys[static_cast<std::size_t>(at)] = others_are_seen ? 0 : 100;
    }
  }
}

TEST(plans, see_the_one_key_that_differs_wherever_it_lies) {
  for (const std::int64_t count : {1, 7, 16, 31, 64, 129, 600}) {
    for (const std::int64_t tile : {1, 5, 16, 32, 64, 100, 512, 1000}) {
      check_one_that_differs<std::int32_t>(count, tile);
      check_one_that_differs<std::int64_t>(count, tile);
      if (HasFatalFailure()) return;
    }
  }
}

TEST(plans, of_no_rows_look_at_nothing) {
  const any_view none(nullptr, dtype::int32, {{"batch", 0, 0}, {"seq", 16, 1}});  // as NumPy and torch broadcast
  layer_values values{&layer_type_of<ApplyCausalAttentionMask<>>, masked_value::lowest(), {}};
  for (std::size_t index = 0; index < values.type->attributes.size(); ++index) {
    values.attributes[index].name = values.type->attributes[index].default_name;
  }
  const tile_plan found = plan(values, {8, 8}, {{"token_positions", none}});
  EXPECT_EQ(found.planes, 0);
  EXPECT_EQ(found.tile_count(), 0);
}

// The error of a call.
template <class Call>
std::string message(Call call) {
  try {
    (void)call();
  } catch (const error& problem) {
    return problem.what();
  }
  return "no error";
}

TEST(plans, say_what_is_wrong) {
  const ApplyCausalSlidingWindowAttentionMask<> local{.masked_out_value = 0, .sliding_window_size = 1};
  std::array<std::int32_t, 1> positions{0};
  EXPECT_EQ(message([&] {
              return plan(local, {0, 4},
                          input<"token_positions">(named_view<std::int32_t, axes<"seq">>(positions.data(), {1})));
            }),
            "axismask: error[plan-tile] tile: a tile of 0 queries and 4 keys is empty; give sizes of at least 1");
  EXPECT_EQ(message([&] {
              const ApplyCausalAttentionMask<"q", "k"> causal{.masked_out_value = 0};
              return plan(
                  causal, {1, 1}, input<"q">(named_view<std::int32_t, axes<"seq">>(positions.data(), {1})),
                  input<"k">(named_view<std::int32_t, axes<"seq">>(positions.data(), {std::int64_t{1} << 32}, {0})));
            }),
            "axismask: error[plan-tile] tile: tiles of 1 keys make more than 2^31 columns of 4294967296 keys; give "
            "larger tiles");
  EXPECT_EQ(message([&] { return plan(local, {}); }),
            "axismask: error[side-input-missing] token_positions: the side input \"token_positions\" is missing; "
            "given: none; "
            "give it, or set the layer's query_positions_input_name");
  EXPECT_EQ(
      message([&] {
        const ApplySinksAttentionMask<> sinks{.masked_out_value = 0, .sink_count = 1};
        return plan(sinks, {}, input<"token_positions">(named_view<std::int32_t, axes<"seq">>(positions.data(), {1})));
      }),
      "axismask: error[plan-axes] ApplySinksAttentionMask: none of its inputs lies along \"seq\", so its size is not "
      "known; plan it as part of a mask that has positions of queries and keys, with & or |");
  EXPECT_EQ(message([&] {
              const OfQueries queries{.masked_out_value = 0};
              return plan(queries, {},
                          input<"token_positions">(named_view<std::int32_t, axes<"seq">>(positions.data(), {1})));
            }),
            "axismask: error[plan-axes] OfQueries: none of its inputs lies along \"kv_seq\", so its size is not "
            "known; plan it as part of a mask that has positions of queries and keys, with & or |");
  EXPECT_EQ(message([&] {
              const layer_type none{"Everywhere", {}, {}, nullptr, nullptr, nullptr, nullptr};
              return plan(layer_values{&none, 0, {}}, {}, {});
            }),
            "axismask: error[plan-axes] Everywhere: it has no query and key axes to plan along; plan a layer that has "
            "positions "
            "of queries and keys");
}

TEST(plans, of_more_places_than_64_bits_count_are_refused) {
  const ApplyCausalAttentionMask<> causal{.masked_out_value = 0};
  const named_view<const std::int32_t, axes<"batch", "seq">> none(nullptr, {0, 3037000500});
  EXPECT_EQ(
      message([&] { return plan(causal, {4, 2}, input<"token_positions">(none)); }),
      "axismask: error[axis-size] ApplyCausalAttentionMask: it has more queries and keys together than 64 bits can "
      "count; plan fewer of them at once");
}

TEST(plans, have_only_so_many_tiles) {
  const std::array<std::int32_t, 8> positions{0, 1, 2, 3, 4, 5, 6, 7};
  const ApplyCausalAttentionMask<> causal{.masked_out_value = 0};
  const tile_plan found = plan(
      causal, {4, 2}, input<"token_positions">(named_view<const std::int32_t, axes<"seq">>(positions.data(), {8})));
  EXPECT_EQ(found.at(0, 1, 3), verdict::some);
  const std::string cure = "; give one that is less than that, and at least 0";
  EXPECT_EQ(message([&] { return found.at(0, 0, 4); }),
            "axismask: error[plan-index] column: it is 4, and the plan has 4" + cure);
  EXPECT_EQ(message([&] { return found.at(0, 2, 0); }),
            "axismask: error[plan-index] row: it is 2, and the plan has 2" + cure);
  EXPECT_EQ(message([&] { return found.at(1, 0, 0); }),
            "axismask: error[plan-index] plane: it is 1, and the plan has 1" + cure);
  EXPECT_EQ(message([&] { return found.at(0, 0, -1); }),
            "axismask: error[plan-index] column: it is -1, and the plan has 4" + cure);
  EXPECT_EQ(message([&] { return found.row(0, -1); }),
            "axismask: error[plan-index] row: it is -1, and the plan has 2" + cure);
}

}  // namespace
}  // namespace axismask
