// Forms from C++: a layer whose type is known, arrays by name, and what is refused. What the arrays say is compared
// with others' own code by tests/oracle.
#include "axismask/forms.hpp"

#include <gtest/gtest.h>

#include <functional>
#include <numeric>
#include <string>
#include <vector>

#include "axismask/layers.hpp"
#include "axismask/messages/error.hpp"

namespace axismask {
namespace {

using numbers = std::vector<std::int32_t>;

const ApplyCausalSlidingWindowAttentionMask<> window{.masked_out_value = masked_value::lowest(),
                                                     .sliding_window_size = 3};

// Positions 0 ... tokens - 1.
struct token_positions {
  explicit token_positions(std::int64_t tokens)
      : memory(static_cast<std::size_t>(tokens)), view(memory.data(), {tokens}) {
    std::iota(memory.begin(), memory.end(), 0);
  }
  numbers memory;
  named_view<const std::int32_t, axes<"seq">> view;
};

plan_arrays form_of(std::string_view form, std::int64_t tokens, const form_options& options = {}) {
  const token_positions positions(tokens);
  return write_form(form, window, options, input<"token_positions">(positions.view));
}

template <class T>
std::vector<T> elements(const plan_arrays& arrays, std::string_view name) {
  const std::span<const T> all = arrays.get<T>(name);
  return {all.begin(), all.end()};
}

std::string text_of(const std::function<void()>& call) {
  try {
    call();
  } catch (const error& problem) {
    return problem.what();
  }
  return "no error";
}

TEST(Forms, FlexOfALayerWhoseTypeIsKnown) {
  const plan_arrays arrays = form_of("flex", 10, {.tile = {4, 2}});
  EXPECT_EQ(arrays["kv_indices"].sizes, (std::vector<std::int64_t>{1, 1, 3, 5}));
  EXPECT_EQ(elements<std::int32_t>(arrays, "kv_num_blocks"), (numbers{2, 3, 2}));
  EXPECT_EQ(elements<std::int32_t>(arrays, "kv_indices"), (numbers{0, 1, 0, 0, 0, 1, 2, 3, 0, 0, 3, 4, 0, 0, 0}));
  EXPECT_EQ(elements<std::int32_t>(arrays, "full_kv_num_blocks"), (numbers{0, 0, 0}));
  EXPECT_EQ(elements<std::int64_t>(arrays, "BLOCK_SIZE"), (std::vector<std::int64_t>{4, 2}));
  EXPECT_EQ(elements<std::int64_t>(arrays, "seq_lengths"), (std::vector<std::int64_t>{10, 10}));
}

TEST(Forms, ArraysSayWhatTheyHold) {
  const plan_arrays arrays = form_of("flashmask", 5);
  const plan_array& rows = arrays["startend_row_indices"];
  EXPECT_EQ(rows.dtype_name(), "int32");
  EXPECT_EQ(rows.element_bytes(), 4);
  EXPECT_EQ(rows.element_count(), 5);
  EXPECT_EQ(static_cast<const std::int32_t*>(rows.data())[1], 4);
  const plan_array& causal = arrays["causal"];
  EXPECT_EQ(causal.dtype_name(), "bool");
  EXPECT_TRUE(causal.sizes.empty());
  EXPECT_EQ(causal.element_count(), 1);
  EXPECT_TRUE(arrays.has("causal"));
  EXPECT_FALSE(arrays.has("cause"));
}

TEST(Forms, ArraysThatThereAreNot) {
  const plan_arrays arrays = form_of("flashmask", 5);
  EXPECT_EQ(text_of([&] { (void)arrays["casual"]; }),
            "axismask: error[form-array] casual: the form has no array of that name (did you mean \"causal\"?); it has "
            "\"startend_row_indices\", \"causal\"");
  EXPECT_EQ(
      text_of([&] { (void)arrays.get<std::uint8_t>("causal"); }),
      "axismask: error[form-array] causal: its elements are bool; ask for elements of that type; bool_byte is that "
      "of bool");
}

TEST(Forms, EveryFormIsWritten) {
  const token_positions positions(256);
  const numbers table{1, 0};
  for (const form_record& form : forms()) {
    form_options options{.tile = {128, 128}};
    if (form.has_pages) options.pages = page_table{.pages = {table.data(), dtype::int32, {{"s", 1}, {"p", 2}}}};
    const plan_arrays arrays = write_form(form.name, window, options, input<"token_positions">(positions.view));
    EXPECT_FALSE(arrays.arrays.empty()) << form.name;
    for (const plan_array& array : arrays.arrays) {
      std::int64_t count = 1;
      for (const std::int64_t size : array.sizes) count *= size;
      EXPECT_EQ(array.element_count(), count) << form.name << ' ' << array.name;
    }
  }
}

TEST(Forms, NoQueriesAndNoKeys) {
  for (const form_record& form : forms()) {
    if (form.has_pages || form.name == "splash") continue;
    const plan_arrays arrays = form_of(form.name, 0);
    EXPECT_FALSE(arrays.arrays.empty()) << form.name;
  }
  EXPECT_NE(text_of([] { (void)form_of("splash", 0); }).find("error[form-tile] tile: splash has whole tiles only"),
            std::string::npos);
}

TEST(Forms, RefusedOptions) {
  const std::string start = "axismask: error";
  EXPECT_EQ(text_of([] { (void)form_of("flax", 4); }),
            start +
                "[form-unknown] form: there is no form \"flax\" (did you mean \"flex\"?); the forms are \"flex\", "
                "\"flex-pages\", \"fa4\", \"splash\", \"flashinfer-ranges\", \"flashinfer-packed\", "
                "\"flashinfer-bsr\", \"flashmask\", \"magi\", \"cudnn\", \"spans\"");
  EXPECT_EQ(text_of([] { (void)form_of("flex", 4, {.tile = {0, 4}}); }),
            start + "[form-tile] tile: a tile of 0 queries and 4 keys is empty; give sizes of at least 1");
  EXPECT_EQ(text_of([] { (void)form_of("flex", 4, {.batch_axis = "b", .heads_axis = "b"}); }),
            start + "[form-axis] heads_axis: batch and heads are the same axis, \"b\"; name two axes");
  EXPECT_EQ(text_of([] { (void)form_of("flex-pages", 4); }),
            start +
                "[form-pages] pages: flex-pages needs a table of pages, and none is given; give the page of the cache "
                "for each page of a sequence");
  const numbers table{0};
  const page_table one_page{.pages = {table.data(), dtype::int32, {{"s", 1}, {"p", 1}}}};
  EXPECT_EQ(text_of([&] { (void)form_of("flex", 4, {.pages = one_page}); }),
            start +
                "[form-pages] pages: flex knows no pages, and a table of them is given; leave it out, or ask for "
                "flex-pages");
  EXPECT_EQ(text_of([] { (void)form_of("fa4", 4, {.tile = {96, 128}}); }),
            start +
                "[form-tile] tile: fa4 has no tiles of 96 queries and 128 keys; give multiples of 64 queries and 16 "
                "keys; on Blackwell 256 and 128");
  EXPECT_EQ(text_of([] { (void)form_of("cudnn", 4, {.tile = {64, 128}}); }),
            start +
                "[form-tile] tile: cudnn has tiles of 128 queries and 128 keys, and these have 64 and 128; leave the "
                "tile out");
}

std::string text_of_pages(const any_view& table, std::int64_t count = 0) {
  return text_of(
      [&] { (void)form_of("flex-pages", 8, {.tile = {4, 4}, .pages = page_table{.pages = table, .count = count}}); });
}

TEST(Forms, RefusedPages) {
  const std::string start = "axismask: error[form-pages] pages: ";
  const auto table = [](const numbers& pages, std::int64_t sequences = 1) {
    return any_view(pages.data(), dtype::int32,
                    {{"s", sequences}, {"p", static_cast<std::int64_t>(pages.size()) / sequences}});
  };
  const numbers wide{0, 1};
  const numbers narrow{0};
  const numbers twice{3, 3};
  const numbers missing{3, -1};
  const numbers negative{0, -2};
  EXPECT_EQ(text_of_pages(table(wide)), "no error");
  EXPECT_EQ(text_of_pages(any_view(wide.data(), dtype::int32, {{"p", 2}})),
            start +
                "a table of pages has two axes and integers, and this has 1 of int32; give int32 or int64, sequences "
                "by pages");
  EXPECT_EQ(text_of_pages(table(narrow)),
            start +
                "the table has 1 pages for each sequence, and the keys fill 2; give them all, -1 for those that no "
                "query sees; a page has as many keys as a tile");
  EXPECT_EQ(text_of_pages(table(twice)), start +
                                             "sequence 0 has page 3 of the cache twice, as its pages 0 and 1; give "
                                             "each page of a sequence a page of its own");
  EXPECT_EQ(text_of_pages(table(missing)),
            start + "page 1 of sequence 0 is -1, and some query sees its keys; give its page of the cache");
  EXPECT_EQ(text_of_pages(table(negative)),
            start + "page 1 of sequence 0 is -2, and the cache starts with 0; give a page of the cache, or -1");
  EXPECT_EQ(text_of_pages(table(wide), 1),
            start + "page 1 of sequence 0 is 1, and the cache has 1; give a page of the cache, or -1");
}

// Of four blocks of 2^62 places the number is 0 in 64 bits.
TEST(Forms, ArraysThatNoMemoryHoldsAreRefused) {
  EXPECT_EQ(text_of([] { static_cast<void>(form_of("flashinfer-bsr", 4, {.tile = {std::int64_t{1} << 62, 1}})); }),
            "axismask: error[form-size] tile: an array of the form would reach further than addresses do; give smaller "
            "tiles");
}

TEST(Forms, MasksThatAFormCannotSay) {
  const std::string start = "axismask: error";
  const token_positions positions(8);
  const ApplyDilatedWindowAttentionMask<> dilated{
      .masked_out_value = masked_value::lowest(), .sliding_window_size = 8, .dilation = 2};
  const auto text = [&](std::string_view form) {
    return text_of([&] { (void)write_form(form, dilated, {}, input<"token_positions">(positions.view)); });
  };
  EXPECT_EQ(text("flashinfer-ranges"),
            start +
                "[form-ranges] query 2: it sees 2 ranges of keys, [0, 1) and from 2 on, and flashinfer-ranges has one "
                "for each query; ask for flashinfer-packed or flashinfer-bsr");
  EXPECT_EQ(text("flashmask"), start +
                                   "[form-columns] key 1: the queries that do not see it are [0, 1), [2, 3) and "
                                   "[4, 5), and flashmask has two ranges for each key; ask for flex, "
                                   "flashinfer-packed or magi");

  const numbers padding{-1, 0, 1, 2, 3, 4, 5, 6};
  const named_view<const std::int32_t, axes<"seq">> left_padded(padding.data(), {8});
  EXPECT_EQ(
      text_of([&] { (void)write_form("splash", window, {.tile = {4, 4}}, input<"token_positions">(left_padded)); }),
      start +
          "[form-rows] query 0: it sees no key, and splash divides by the number of keys seen; give the layer "
          "the rule keep_self for empty rows");
  EXPECT_EQ(
      text_of([&] { (void)write_form("splash", window, {.tile = {3, 4}}, input<"token_positions">(positions.view)); }),
      start +
          "[form-tile] tile: splash has whole tiles only, and 8 queries and 8 keys are no multiples of 3 and 4; "
          "give sizes that divide them, or pad the positions with -1 at the end and give the layer the rule "
          "keep_self for empty rows");
  EXPECT_EQ(text_of([&] {
              (void)write_form("flashinfer-bsr", window, {.tile = {3, 3}}, input<"token_positions">(positions.view));
            }),
            start +
                "[form-tile] tile: flashinfer-bsr has whole columns of blocks only, and 8 keys are no multiple of 3; "
                "give a number that divides them");
}

TEST(Forms, MasksOfAxesThatAFormHasNot) {
  const std::string start = "axismask: error";
  const numbers both{0, 1, 2, 3, -1, 0, 1, 2};
  const named_view<const std::int32_t, axes<"batch", "seq">> positions(both.data(), {2, 4});
  const auto text = [&](std::string_view form, const form_options& options) {
    return text_of([&] { (void)write_form(form, window, options, input<"token_positions">(positions)); });
  };
  EXPECT_EQ(text("splash", {.tile = {2, 2}}),
            start +
                "[form-batch] batch: the mask changes along this axis, and splash has the mask of one sequence; make "
                "a kernel for each sequence, of its own positions");
  EXPECT_EQ(text("flex", {.batch_axis = "rows"}),
            start +
                "[form-axis] batch: the mask changes along this axis, and flex knows batch (\"rows\") and heads "
                "(\"heads\"); name it as the one or the other, or plan each of its indices by itself");
  EXPECT_EQ(text("magi", {.batch_axis = "rows", .heads_axis = "batch"}),
            start +
                "[form-heads] batch: the mask changes along this axis, and all heads of magi share one mask; run each "
                "head by itself, or ask for flex, splash or flashmask");
}

}  // namespace
}  // namespace axismask
