// Rows of which a mask keeps nothing, in calls of one prompt and a padded one: the errors, word by word, and static
// calls.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "axismask/empty_rows.hpp"
#include "axismask/layers.hpp"
#include "axismask/plan.hpp"

namespace axismask {
namespace {

using Causal = ApplyCausalAttentionMask<>;

// Two prompts of 4 places, the second one padded on the left with 2; each logit is its place in memory.
class padded : public testing::Test {
 protected:
  padded() {
    for (std::size_t at = 0; at < logits.element_count(); ++at) logits.data()[at] = static_cast<float>(at);
    const std::array<std::int32_t, 8> both{0, 1, 2, 3, -1, -1, 0, 1};
    std::copy(both.begin(), both.end(), positions.data());
  }

  // The text of the error that a call gives; nothing must be written then.
  template <class Call>
  std::string error_of(Call call) {
    try {
      call();
    } catch (const error& problem) {
      for (std::size_t at = 0; at < logits.element_count(); ++at) EXPECT_EQ(logits.data()[at], static_cast<float>(at));
      for (std::size_t at = 0; at < out.element_count(); ++at) EXPECT_EQ(out.data()[at], 0.0F);
      return problem.what();
    }
    return "no error";
  }
  std::string error_of(const layer_values& values) {
    const std::array<side_input, 1> inputs{side_input{"token_positions", positions.view().erased()}};
    return error_of([&] { apply(values, logits.view().erased(), out.view().erased(), inputs); });
  }

  named_array<float, axes<"batch", "heads", "seq", "kv_seq">> logits{{2, 3, 4, 4}};
  named_array<float, axes<"batch", "heads", "seq", "kv_seq">> out = [] {
    named_array<float, axes<"batch", "heads", "seq", "kv_seq">> zeros({2, 3, 4, 4});
    std::fill_n(zeros.data(), zeros.element_count(), 0.0F);
    return zeros;
  }();
  named_array<std::int32_t, axes<"batch", "seq">> positions{{2, 4}};
  Causal causal{.masked_out_value = -1};
};

TEST_F(padded, RowsAreRefusedByNameAndNothingIsWritten) {
  const auto refusing = with_empty_rows<empty_row_rule::error>(causal);
  const std::string text =
      "axismask: error[empty-row] logits: the mask keeps nothing of the row at \"batch\" 1, \"seq\" 0, whose query is "
      "at position -1; give that query a key that it sees; if it is padding, give the layer the empty_rows \"masked\" "
      "or \"keep_self\"";
  EXPECT_EQ(error_of([&] { refusing.apply_in_place(logits, input<"token_positions">(positions)); }), text);
  EXPECT_EQ(error_of([&] { refusing.apply(logits, out, input<"token_positions">(positions)); }), text);
  EXPECT_EQ(error_of([&] { (void)refusing(logits, input<"token_positions">(positions)); }), text);
  // The first prompt alone has no such row.
  positions(1, 0) = positions(1, 1) = 0;
  refusing.apply(logits, out, input<"token_positions">(positions));
  EXPECT_EQ(out.data()[0], 0.0F);
  EXPECT_EQ(out.data()[1], -1.0F);
}

TEST_F(padded, RowsWithoutPositionsOfQueriesAreRefusedToo) {
  const ApplyRightPaddingAttentionMask<> padding{.masked_out_value = -1};
  named_array<std::int64_t, axes<"batch">> lengths{{2}};
  lengths(0) = 2;
  lengths(1) = 0;
  EXPECT_EQ(error_of([&] {
              with_empty_rows<empty_row_rule::error>(padding).apply(logits, out, input<"token_positions">(positions),
                                                                    input<"lengths">(lengths));
            }),
            "axismask: error[empty-row] logits: the mask keeps nothing of the row at \"batch\" 1, \"seq\" 0; give that "
            "query a key that it sees; if it is padding, give the layer the empty_rows \"masked\"");
}

TEST_F(padded, SelvesAreKeptInStaticCalls) {
  // The padding queries of the second prompt keep both padding keys.
  const auto is_kept = [](std::int64_t prompt, std::int64_t query, std::int64_t key) {
    return prompt == 0 ? key <= query : query < 2 ? key < 2 : key >= 2 && key <= query;
  };
  const auto expect = [&](auto& result) {
    for (std::int64_t at = 0; at < 96; ++at) {
      const float masked = is_kept(at / 48, at / 4 % 4, at % 4) ? static_cast<float>(at) : -1.0F;
      EXPECT_EQ(result.data()[at], masked) << at;
    }
  };
  const auto keeping = with_empty_rows<empty_row_rule::keep_self>(causal);
  const call_options options{.threads = 2};
  auto made = keeping(logits, input<"token_positions">(positions));
  expect(made);
  auto made_with_options = keeping(options, logits, input<"token_positions">(positions));
  expect(made_with_options);
  keeping.apply(logits, out, input<"token_positions">(positions));
  expect(out);
  std::fill_n(out.data(), out.element_count(), 0.0F);
  keeping.apply(options, logits, out, input<"token_positions">(positions));
  expect(out);
  named_array<float, axes<"batch", "heads", "seq", "kv_seq">> copy({2, 3, 4, 4});
  std::copy_n(logits.data(), logits.element_count(), copy.data());
  keeping.apply_in_place(options, copy, input<"token_positions">(positions));
  expect(copy);
  keeping.apply_in_place(logits, input<"token_positions">(positions));
  expect(logits);

  // Without a rule all of such a row is masked, as ever.
  with_empty_rows<empty_row_rule::masked>(causal).apply_in_place(logits, input<"token_positions">(positions));
  EXPECT_EQ(logits(1, 0, 0, 0), -1.0F);
}

TEST_F(padded, ARowWhoseOwnKeyIsNotThereStaysMasked) {
  named_array<std::int32_t, axes<"batch", "seq">> keys{{2, 4}};
  std::fill_n(keys.data(), 8, 7);
  const ApplyCausalAttentionMask<"token_positions", "keys"> cached{.masked_out_value = -1};
  with_empty_rows<empty_row_rule::keep_self>(cached).apply(logits, out, input<"token_positions">(positions),
                                                           input<"keys">(keys));
  for (std::size_t at = 0; at < out.element_count(); ++at) EXPECT_EQ(out.data()[at], -1.0F);
}

// A plan knows the planes of the arrays that it was made of. Here one has the prompts' positions, which are the same,
// and the other repeats them.
TEST_F(padded, SelvesAreKeptByAPlanOfOtherPlanes) {
  std::copy_n(positions.data() + 4, 4, positions.data());
  const any_view written = positions.view().erased();
  const any_view repeated(positions.data(), dtype::int32, {{"batch", 2, 0}, {"seq", 4, 1}});
  layer_values values{&layer_type_of<Causal>, -1, {}};
  for (std::size_t index = 0; index < values.type->attributes.size(); ++index) {
    values.attributes.at(index).name = values.type->attributes[index].default_name;
  }
  values.empty_rows = empty_row_rule::keep_self;
  const auto run = [&](const any_view& planned, const any_view& called) {
    const std::array<side_input, 1> of_plan{side_input{"token_positions", planned}};
    const std::array<side_input, 1> of_call{side_input{"token_positions", called}};
    const tile_plan tiles = plan(values, {2, 2}, of_plan);
    apply(values, logits.view().erased(), out.view().erased(), of_call, {.plan = &tiles});
    return std::vector<float>(out.data(), out.data() + out.element_count());
  };
  const std::vector<float> want = run(written, written);
  EXPECT_EQ(want[4], 4.0F);  // the first prompt's second query keeps the first key
  EXPECT_EQ(run(repeated, written), want);
  EXPECT_EQ(run(written, repeated), want);
  EXPECT_EQ(run(repeated, repeated), want);
}

TEST_F(padded, NothingIsRefusedOfArraysThatAreEmpty) {
  named_array<float, axes<"batch", "heads", "seq", "kv_seq">> none({2, 0, 4, 4});
  with_empty_rows<empty_row_rule::error>(causal).apply_in_place(none, input<"token_positions">(positions));
}

// The loader and the compiler say this first; values that are made by hand come without them.
TEST_F(padded, ARuleThatALayerCannotHaveIsAnError) {
  layer_values documents{&layer_type_of<ApplyDocumentAttentionMask<>>, -1, {}};
  documents.attributes[1].name = documents.attributes[2].name = "token_positions";
  documents.attributes[3].name = "seq";
  documents.attributes[4].name = "kv_seq";
  documents.empty_rows = empty_row_rule::keep_self;
  EXPECT_EQ(
      error_of(documents),
      "axismask: error[empty-rows] ApplyDocumentAttentionMask: \"keep_self\" compares the positions of queries and "
      "keys, and this layer does not take both; give \"masked\" or \"error\", or compose this mask with one that "
      "does, such as ApplyCausalAttentionMask");
}

}  // namespace
}  // namespace axismask
