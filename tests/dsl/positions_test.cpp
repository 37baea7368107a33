// The positions of serving: each helper's, place by place, and what it says of bad input.
#include "axismask/positions.hpp"

#include <gtest/gtest.h>

#include <array>
#include <cstdint>
#include <limits>
#include <span>
#include <string>
#include <vector>

namespace axismask {
namespace {

using numbers = std::vector<std::int32_t>;

template <class Call>
std::string error_of(Call call) {
  try {
    call();
  } catch (const error& problem) {
    return problem.what();
  }
  return "no error";
}

// The snippet at the head of positions.hpp.
TEST(Positions, TheFirstChunkOfACacheThatWraps) {
  constexpr std::int64_t n = 2;
  constexpr std::int64_t window = 3;
  std::vector<std::int32_t> queries(n), keys(positions::ring_capacity(window, n));
  positions::ring cache{std::span(keys), window};
  positions::consecutive(std::span(queries), cache.tokens());
  cache.append(n);
  EXPECT_EQ(queries, (numbers{0, 1}));
  EXPECT_EQ(keys, (numbers{0, 1, -1, -1}));
}

TEST(Positions, ConsecutiveStartAnywhere) {
  numbers out(4, 7);
  positions::consecutive(std::span(out));
  EXPECT_EQ(out, (numbers{0, 1, 2, 3}));
  positions::consecutive(std::span(out), 100);
  EXPECT_EQ(out, (numbers{100, 101, 102, 103}));
  std::vector<std::int64_t> wide(1);
  positions::consecutive(std::span(wide), std::int64_t{1} << 40);
  EXPECT_EQ(wide[0], std::int64_t{1} << 40);
}

TEST(Positions, OfPaddedBatches) {
  const std::array<std::int64_t, 4> lengths{3, 0, 1, 4};
  numbers out(16, 7);
  positions::left_padded(std::span(lengths), 4, std::span(out));
  EXPECT_EQ(out, (numbers{-1, 0, 1, 2, -1, -1, -1, -1, -1, -1, -1, 0, 0, 1, 2, 3}));
  positions::right_padded(std::span(lengths), 4, std::span(out));
  EXPECT_EQ(out, (numbers{0, 1, 2, -1, -1, -1, -1, -1, 0, -1, -1, -1, 0, 1, 2, 3}));
}

TEST(Positions, OfPackedDocuments) {
  const std::array<std::int64_t, 3> lengths{2, 0, 3};
  numbers documents(7, 7);
  numbers out(7, 7);
  positions::packed(std::span(lengths), std::span(documents), std::span(out));
  EXPECT_EQ(documents, (numbers{0, 0, 2, 2, 2, -1, -1}));
  EXPECT_EQ(out, (numbers{0, 1, 0, 1, 2, -1, -1}));
}

TEST(Positions, OfAnAttentionMask) {
  // Padding on the left, on the right, between the tokens, everywhere, and nowhere.
  const std::vector<std::int64_t> mask{0, 0, 1, 1, 1, 1, 1, 0, 1, 0, 0, 1, 0, 0, 0, 0, 1, 1, 1, 1};
  numbers out(20, 7);
  positions::from_attention_mask(std::span(mask), 4, std::span(out));
  EXPECT_EQ(out, (numbers{-1, -1, 0, 1, 0, 1, 2, -1, 0, -1, -1, 1, -1, -1, -1, -1, 0, 1, 2, 3}));
  const std::array<bool, 3> flags{false, true, true};
  std::vector<std::int64_t> wide(3, 7);
  positions::from_attention_mask(std::span(flags), 3, std::span(wide));
  EXPECT_EQ(wide, (std::vector<std::int64_t>{-1, 0, 1}));
  const std::vector<std::uint8_t> none;
  positions::from_attention_mask(std::span(none), 0, std::span(out).first(0));
}

// A batch of Hugging Face's: its position_ids of padding are 1, and would be seen.
TEST(Positions, OfPositionIds) {
  const std::vector<std::int64_t> ids{1, 1, 1, 0, 1, 2, 3, 4};
  const std::vector<std::int64_t> mask{0, 0, 0, 1, 1, 1, 1, 1};
  numbers out(8, 7);
  positions::from_position_ids(std::span(ids), std::span(mask), std::span(out));
  EXPECT_EQ(out, (numbers{-1, -1, -1, 0, 1, 2, 3, 4}));
  // Whatever they are: of padding, negative and beyond the type too; of tokens, in any order.
  const std::array<std::int64_t, 5> far{std::int64_t{1} << 40, -7, 9, 9, 2147483647};
  const std::array<bool, 5> tokens{false, false, true, true, true};
  numbers some(5, 7);
  positions::from_position_ids(std::span(far), std::span(tokens), std::span(some));
  EXPECT_EQ(some, (numbers{-1, -1, 9, 9, 2147483647}));
  // In place.
  positions::from_position_ids(std::span(out), std::span(mask), std::span(out));
  EXPECT_EQ(out, (numbers{-1, -1, -1, 0, 1, 2, 3, 4}));
}

TEST(Positions, OfCuSeqlens) {
  const std::vector<std::int32_t> cu_seqlens{0, 2, 2, 5};
  numbers documents(7, 7);
  numbers out(7, 7);
  positions::from_cu_seqlens(std::span(cu_seqlens), std::span(documents), std::span(out));
  EXPECT_EQ(documents, (numbers{0, 0, 2, 2, 2, -1, -1}));
  EXPECT_EQ(out, (numbers{0, 1, 0, 1, 2, -1, -1}));
  const std::array<std::int64_t, 1> no_documents{0};
  positions::from_cu_seqlens(std::span(no_documents), std::span(documents), std::span(out));
  EXPECT_EQ(documents, numbers(7, -1));
  EXPECT_EQ(out, numbers(7, -1));
}

TEST(Positions, OfARingThatWraps) {
  numbers slots(5, 7);
  positions::ring cache{std::span(slots), 3};
  EXPECT_EQ(slots, (numbers{-1, -1, -1, -1, -1}));
  cache.append(4);
  EXPECT_EQ(slots, (numbers{0, 1, 2, 3, -1}));
  cache.append(3);
  EXPECT_EQ(slots, (numbers{5, 6, 2, 3, 4}));
  cache.append(1);
  EXPECT_EQ(slots, (numbers{5, 6, 7, 3, 4}));
  EXPECT_EQ(cache.tokens(), 8);
  cache.trim(6);  // the next query, at 6, sees 4 and 5
  EXPECT_EQ(slots, (numbers{5, -1, -1, 3, 4}));
  cache.append(1);
  EXPECT_EQ(slots, (numbers{5, 6, -1, 3, 4}));
  cache.trim(0);
  EXPECT_EQ(slots, (numbers{-1, -1, -1, -1, -1}));
  cache.append(5);
  EXPECT_EQ(slots, (numbers{0, 1, 2, 3, 4}));
}

TEST(Positions, OfARingWithSinks) {
  numbers slots(6, 7);
  positions::ring cache{std::span(slots), 3, 2};
  cache.append(6);
  EXPECT_EQ(slots, (numbers{0, 1, 2, 3, 4, 5}));
  cache.append(2);
  EXPECT_EQ(slots, (numbers{0, 1, 6, 7, 4, 5}));
  cache.append(2);
  cache.append(1);
  EXPECT_EQ(slots, (numbers{0, 1, 10, 7, 8, 9}));
  cache.trim(9);  // the next query, at 9, sees 7 and 8
  EXPECT_EQ(slots, (numbers{0, 1, -1, 7, 8, -1}));
  cache.trim(1);  // among the sinks nothing is gone
  EXPECT_EQ(slots, (numbers{0, -1, -1, -1, -1, -1}));
  cache.append(5);
  EXPECT_EQ(slots, (numbers{0, 1, 2, 3, 4, 5}));
  EXPECT_EQ(cache.tokens(), 6);
}

TEST(Positions, ARingTellsItsCapacity) {
  static_assert(positions::ring_capacity(512, 1) == 512);
  static_assert(positions::ring_capacity(512, 128) == 639);
  static_assert(positions::ring_capacity(512, 128, 4) == 643);
}

TEST(Positions, SayWhatIsWrong) {
  numbers out(8);
  const std::array<std::int64_t, 2> lengths{3, 5};
  EXPECT_EQ(error_of([&] { positions::left_padded(std::span(lengths), 4, std::span(out)); }),
            "axismask: error[positions-length] positions::left_padded: a row of 4 places is to have 5 tokens; give "
            "lengths from 0 to the width of the rows");
  EXPECT_EQ(error_of([&] { positions::right_padded(std::span(lengths), 5, std::span(out)); }),
            "axismask: error[positions-size] positions::right_padded: the memory is for 8 positions, and there are 10; "
            "give memory for each, rows of a batch one after another");
  numbers slots(5, 7);
  EXPECT_EQ(
      error_of([&] { positions::ring(std::span(slots), 6); }),
      "axismask: error[ring-capacity] positions::ring: a window of 6 keys is to be kept in 5 slots; give at least "
      "a slot for each key of the window, and a window of at least 1");
  positions::ring cache{std::span(slots), 3};
  cache.append(4);
  EXPECT_EQ(error_of([&] { cache.append(4); }),
            "axismask: error[ring-capacity] positions::ring: a chunk of 4 tokens and the 2 keys before it that are in "
            "its window are more than the 5 slots; give chunks of at most 3 tokens, or the slots that ring_capacity "
            "tells");
  EXPECT_EQ(slots, (numbers{0, 1, 2, 3, -1}));
  cache.append(3);
  cache.append(3);
  EXPECT_EQ(cache.tokens(), 10);
  EXPECT_EQ(
      error_of([&] { cache.trim(6); }),
      "axismask: error[ring-capacity] positions::ring: it cannot go back from 10 tokens to 6: keys of that window "
      "are gone; go back to a number of tokens whose window is there, to 0, or give more slots");
  EXPECT_EQ(
      error_of([&] { cache.trim(11); }),
      "axismask: error[ring-capacity] positions::ring: it cannot go back from 10 tokens to 11; go back to a number "
      "of tokens whose window is there, to 0, or give more slots");
  EXPECT_EQ(slots, (numbers{5, 6, 7, 8, 9}));
  cache.trim(7);  // the next query, at 7, sees 5 and 6
  EXPECT_EQ(slots, (numbers{5, 6, -1, -1, -1}));
  // What was pushed out does not come back, however few tokens there are now.
  EXPECT_NE(error_of([&] { cache.trim(6); }), "no error");
}

TEST(Positions, FitInTheirMemory) {
  constexpr std::int64_t highest = std::numeric_limits<std::int64_t>::max();
  std::vector<std::int32_t> narrow{5, 5};
  std::vector<std::int64_t> wide{5, 5};
  positions::consecutive(std::span(narrow), std::numeric_limits<std::int32_t>::max() - 1);
  EXPECT_EQ(narrow[1], std::numeric_limits<std::int32_t>::max());
  positions::consecutive(std::span(wide), -highest - 1);
  positions::consecutive(std::span(wide), highest - 1);
  EXPECT_EQ(wide[1], highest);
  EXPECT_EQ(error_of([&] { positions::consecutive(std::span(narrow), std::int64_t{1} << 31); }),
            "axismask: error[positions-value] positions::consecutive: 2 positions from 2147483648 on do not fit in 32 "
            "bits; give memory for positions of 64 bits");
  EXPECT_NE(error_of([&] { positions::consecutive(std::span(narrow), -highest - 1); }), "no error");
  EXPECT_EQ(error_of([&] { positions::consecutive(std::span(wide), highest); }),
            "axismask: error[positions-value] positions::consecutive: 2 positions from 9223372036854775807 on do not "
            "fit in 64 bits; begin with a lower position");
  EXPECT_EQ(narrow[1], std::numeric_limits<std::int32_t>::max());
  positions::consecutive(std::span<std::int64_t>(), highest);
}

// Of four rows of 2^62 places the number is 0 in 64 bits.
TEST(Positions, OfRowsThatNoMemoryHoldsAreRefused) {
  const std::vector<std::int64_t> lengths{1, 1, 1, 1};
  const std::span<std::int32_t> none;
  EXPECT_NE(error_of([&] { positions::left_padded(std::span(lengths), std::int64_t{1} << 62, none); }), "no error");
  EXPECT_NE(error_of([&] { positions::right_padded(std::span(lengths), std::int64_t{1} << 62, none); }), "no error");
}

TEST(Positions, SayWhatIsWrongWithAnAttentionMask) {
  numbers out(6, 7);
  const auto of_mask = [&](std::vector<std::int64_t> mask, std::int64_t width) {
    return error_of([&] { positions::from_attention_mask(std::span(mask), width, std::span(out)); });
  };
  EXPECT_EQ(of_mask({1, 1, 1, 1, 2, 0}, 3),
            "axismask: error[positions-mask] positions::from_attention_mask: the attention_mask has 2 in row 1, place "
            "1; give 1 for a token and 0 for padding, as a tokenizer does, and no mask that is added to logits");
  EXPECT_EQ(of_mask({1, 1, -65504, 1, 1, 0}, 6),
            "axismask: error[positions-mask] positions::from_attention_mask: the attention_mask has -65504 in place 2; "
            "give 1 for a token and 0 for padding, as a tokenizer does, and no mask that is added to logits");
  EXPECT_EQ(of_mask({1, 1, 1, 1, 1, 1}, 4),
            "axismask: error[positions-size] positions::from_attention_mask: an attention_mask of 6 elements is not "
            "rows of 4 places; give all rows of [batch, kv_seq], one after another, and kv_seq as the width");
  EXPECT_NE(of_mask({1, 1, 1, 1, 1, 1}, 0), "no error");
  EXPECT_NE(of_mask({1, 1, 1, 1, 1, 1}, -6), "no error");
  EXPECT_EQ(of_mask({1, 1, 1, 1}, 2),
            "axismask: error[positions-size] positions::from_attention_mask: the memory is for 6 positions, and there "
            "are 4; give memory for each, rows of a batch one after another");
  EXPECT_EQ(out, numbers(6, 7));
}

TEST(Positions, SayWhatIsWrongWithPositionIds) {
  numbers out(3, 7);
  const auto of_ids = [&](std::vector<std::int64_t> ids, std::vector<std::int32_t> mask) {
    return error_of([&] { positions::from_position_ids(std::span(ids), std::span(mask), std::span(out)); });
  };
  EXPECT_EQ(of_ids({0, 1, 2}, {1, 1}),
            "axismask: error[positions-size] positions::from_position_ids: there are 3 position_ids, and an "
            "attention_mask of 2 elements; give both for the same tokens: of a mask of [batch, kv_seq] the places of "
            "the ids");
  EXPECT_EQ(of_ids({0, 1}, {1, 1}),
            "axismask: error[positions-size] positions::from_position_ids: the memory is for 3 positions, and there "
            "are 2; give memory for each, rows of a batch one after another");
  EXPECT_EQ(of_ids({0, 1, 2}, {1, 3, 1}),
            "axismask: error[positions-mask] positions::from_position_ids: the attention_mask has 3 in place 1; give 1 "
            "for a token and 0 for padding, as a tokenizer does, and no mask that is added to logits");
  EXPECT_EQ(of_ids({0, 1, -1}, {1, 1, 1}),
            "axismask: error[positions-value] positions::from_position_ids: the token in place 2 has the position -1; "
            "give a token a position from 0 to 2147483647, or padding a 0 in the attention_mask");
  EXPECT_NE(of_ids({0, std::int64_t{1} << 31, 1}, {1, 1, 1}), "no error");
  EXPECT_EQ(out, numbers(3, 7));
}

TEST(Positions, SayWhatIsWrongWithCuSeqlens) {
  numbers documents(6, 7);
  numbers out(6, 7);
  const auto of_offsets = [&](std::vector<std::int64_t> cu_seqlens) {
    return error_of([&] { positions::from_cu_seqlens(std::span(cu_seqlens), std::span(documents), std::span(out)); });
  };
  const std::string function = "axismask: error[positions-offsets] positions::from_cu_seqlens: ";
  const std::string begin =
      "; begin with 0, and add each document's length to the number before: 0, 3, 7 for lengths of 3 and 4";
  EXPECT_EQ(of_offsets({}), function + "cu_seqlens is empty" + begin);
  EXPECT_EQ(of_offsets({3, 4}), function + "cu_seqlens begins with 3" + begin);
  EXPECT_EQ(of_offsets({0, 4, 2}),
            function +
                "cu_seqlens falls from 4 to 2 at element 2; give the sums of the lengths, which never fall, and "
                "not the lengths");
  EXPECT_EQ(of_offsets({0, 4, 7}),
            function + "the documents end at 7, and the row has 6 places; give memory for each token of all documents");
  EXPECT_NE(of_offsets({0, -1}), "no error");
  EXPECT_EQ(error_of([&] {
              const std::array<std::int64_t, 2> cu_seqlens{0, 4};
              positions::from_cu_seqlens(std::span(cu_seqlens), std::span(documents).first(5), std::span(out));
            }),
            "axismask: error[positions-size] positions::from_cu_seqlens: the memory is for 5 positions, and there are "
            "6; give memory for each, rows of a batch one after another");
  EXPECT_EQ(out, numbers(6, 7));
  EXPECT_EQ(documents, numbers(6, 7));
}

TEST(Positions, SayWhatIsWrongWithSinks) {
  numbers slots(6, 7);
  EXPECT_EQ(error_of([&] { positions::ring(std::span(slots), 5, 2); }),
            "axismask: error[ring-capacity] positions::ring: a window of 5 keys and 2 sinks is to be kept in 6 slots; "
            "give at least a slot for each sink and each key of the window, a window of at least 1, and sinks of at "
            "least 0");
  EXPECT_NE(error_of([&] { positions::ring(std::span(slots), 1, -1); }), "no error");
  EXPECT_NE(error_of([&] { positions::ring(std::span(slots), 1, 6); }), "no error");
  EXPECT_EQ(slots, numbers(6, 7));
  positions::ring cache{std::span(slots), 3, 2};
  cache.append(1);
  EXPECT_EQ(error_of([&] { cache.append(6); }),
            "axismask: error[ring-capacity] positions::ring: a chunk of 6 tokens and the 0 keys before it that are in "
            "its window are more than the 5 slots that are not taken by sinks; give chunks of at most 2 tokens, or the "
            "slots that ring_capacity tells");
  cache.append(5);
  EXPECT_EQ(error_of([&] { cache.append(3); }),
            "axismask: error[ring-capacity] positions::ring: a chunk of 3 tokens and the 2 keys before it that are in "
            "its window are more than the 4 slots that are not taken by sinks; give chunks of at most 2 tokens, or the "
            "slots that ring_capacity tells");
  cache.append(2);
  cache.append(2);
  EXPECT_EQ(error_of([&] { cache.trim(5); }),
            "axismask: error[ring-capacity] positions::ring: it cannot go back from 10 tokens to 5: keys of that "
            "window are gone; go back to a number of tokens whose window is there, to the sinks' 2 or fewer, or give "
            "more slots");
  EXPECT_EQ(slots, (numbers{0, 1, 6, 7, 8, 9}));
}

}  // namespace
}  // namespace axismask
