// Attention with layers whose names are known to the compiler: the same bits as by the door for names of run time;
// threads, and the errors of a call.
#include <gtest/gtest.h>

#include <cmath>
#include <cstdint>
#include <cstring>
#include <functional>
#include <limits>
#include <string>
#include <type_traits>
#include <vector>

#include "axismask/attention.hpp"
#include "axismask/layers.hpp"

namespace axismask {
namespace {

constexpr std::int64_t heads = 2;
constexpr std::int64_t groups = 3;
constexpr std::int64_t tokens = 70;
constexpr std::int64_t width = 24;

using query_axes = axes<"heads", "group", "seq", "projection">;
using key_axes = axes<"heads", "kv_seq", "projection">;
using row_axes = axes<"heads", "group", "seq">;

template <class Array>
void fill(Array& array, std::uint32_t seed) {
  std::uint32_t state = seed;
  for (std::size_t at = 0; at < array.element_count(); ++at) {
    state = state * 1664525U + 1013904223U;
    const float number = static_cast<float>(state >> 8U) / 8388608.0F - 1;
    using element = typename Array::element_type;
    if constexpr (std::is_same_v<element, float>) {
      array.data()[at] = number;
    } else if constexpr (std::is_same_v<element, bfloat16>) {
      std::uint32_t bits = 0;
      std::memcpy(&bits, &number, sizeof bits);
      array.data()[at].bits = static_cast<std::uint16_t>(bits >> 16U);
    } else {
      array.data()[at].bits = static_cast<std::uint16_t>(0x3400U + (state >> 24U));  // halves of 0.25 to 0.5
    }
  }
}

template <class Array>
bool same_bits(const Array& one, const Array& other) {
  return std::memcmp(one.data(), other.data(), one.element_count() * sizeof *one.data()) == 0;
}

template <class Element>
struct arrays {
  named_array<Element, query_axes> queries{{heads, groups, tokens, width}};
  named_array<Element, key_axes> keys{{heads, tokens, width}};
  named_array<Element, key_axes> values{{heads, tokens, width}};
  named_array<Element, query_axes> want{{heads, groups, tokens, width}};
  named_array<std::int32_t, axes<"seq">> positions{{tokens}};

  arrays() {
    fill(queries, 1);
    fill(keys, 2);
    fill(values, 3);
    for (std::int64_t token = 0; token < tokens; ++token) positions(token) = static_cast<std::int32_t>(token) - 5;
  }
};

template <class Layer, class Element>
void expect_the_same_as_at_run_time(const Layer& layer) {
  arrays<Element> of;
  const auto got = attend(layer, of.queries, of.keys, of.values, input<"token_positions">(of.positions));
  detail::with_ruled_values(layer, [&](const layer_values& values) {
    attend(values, {of.queries, of.keys, of.values, of.want}, {{"token_positions", of.positions}});
  });
  EXPECT_TRUE(same_bits(got, of.want));
}

const ApplyCausalSlidingWindowAttentionMask<> local{.masked_out_value = -1e30, .sliding_window_size = 20};
const ApplyCausalAttentionMask<> causal{.masked_out_value = -1e30};
const ApplySinksAttentionMask<> first_keys{.masked_out_value = -1e30, .sink_count = 4};

TEST(static_calls, give_what_the_call_of_run_time_gives) {
  expect_the_same_as_at_run_time<decltype(local), float>(local);
  expect_the_same_as_at_run_time<decltype(local), float16>(local);
  expect_the_same_as_at_run_time<decltype(local), bfloat16>(local);
  const auto composed = causal & (local | first_keys);
  expect_the_same_as_at_run_time<decltype(composed), float>(composed);
  const auto zeros = with_empty_rows<empty_row_rule::zeros>(local);
  expect_the_same_as_at_run_time<decltype(zeros), float>(zeros);
}

TEST(static_calls, give_zeros_where_the_rule_says_so) {
  arrays<float> of;
  named_array<float, row_axes> sums({heads, groups, tokens});
  const auto out = attend(with_empty_rows<empty_row_rule::zeros>(local), of.queries, of.keys, of.values,
                          log_sum_exp(sums), input<"token_positions">(of.positions));
  EXPECT_EQ(out(1, 2, 4, 7), 0.0F);  // a padding query
  EXPECT_EQ(sums(1, 2, 4), -std::numeric_limits<float>::infinity());
  EXPECT_TRUE(std::isfinite(sums(1, 2, 5)));
  // The first token sees itself only.
  EXPECT_FLOAT_EQ(out(1, 2, 5, 7), of.values(1, 5, 7));
}

TEST(static_calls, take_sinks_and_give_the_log_sum_exp) {
  arrays<float> of;
  named_array<float, axes<"group">> more({groups});
  for (std::int64_t group = 0; group < groups; ++group) more(group) = static_cast<float>(group);
  named_array<float, axes<"seq", "heads", "group">> sums({tokens, heads, groups});
  named_array<float, axes<"seq", "heads", "group">> want_sums({tokens, heads, groups});
  named_array<float, query_axes> out({heads, groups, tokens, width});
  attend_to(attention_options{.scale = 0.5, .softcap = 3}, local, of.queries, of.keys, of.values, out, sinks(more),
            input<"token_positions">(of.positions), log_sum_exp(sums));
  detail::with_ruled_values(local, [&](const layer_values& values) {
    const attention_options options{
        .scale = 0.5, .softcap = 3, .sinks = more.erased(), .log_sum_exp = want_sums.erased()};
    attend(values, {of.queries, of.keys, of.values, of.want}, {{"token_positions", of.positions}}, options);
  });
  EXPECT_TRUE(same_bits(out, of.want));
  EXPECT_TRUE(same_bits(sums, want_sums));
  // The same without a sink is another result.
  const auto without = attend(attention_options{.scale = 0.5, .softcap = 3}, local, of.queries, of.keys, of.values,
                              input<"token_positions">(of.positions));
  EXPECT_FALSE(same_bits(out, without));
}

TEST(static_calls, call_the_projection_as_they_are_told_and_give_it_the_values_size) {
  arrays<float> of;
  named_array<float, axes<"kv_seq", "head_dim">> values({tokens, 5});
  fill(values, 4);
  const named_view<float, axes<"heads", "group", "seq", "head_dim">> queries(of.queries.data(),
                                                                             {heads, groups, tokens, width});
  const named_view<float, axes<"heads", "kv_seq", "head_dim">> keys(of.keys.data(), {heads, tokens, width});
  const auto out = attend<"head_dim">(local, queries, keys, values, input<"token_positions">(of.positions));
  EXPECT_EQ(out.view().size<"head_dim">(), 5);
  named_array<float, axes<"heads", "group", "seq", "head_dim">> want({heads, groups, tokens, 5});
  detail::with_ruled_values(local, [&](const layer_values& layer) {
    attend(layer, {queries, keys, values, want}, {{"token_positions", of.positions}}, {.projection = "head_dim"});
  });
  EXPECT_TRUE(same_bits(out, want));
}

TEST(static_calls, give_the_same_bits_with_any_number_of_threads) {
  arrays<float> of;
  const auto attend_with = [&](int threads) {
    return attend(attention_options{.call = {.threads = threads}}, local, of.queries, of.keys, of.values,
                  input<"token_positions">(of.positions));
  };
  const auto want = attend_with(1);
  for (int threads = 2; threads <= 8; ++threads) EXPECT_TRUE(same_bits(attend_with(threads), want)) << threads;
}

std::string message_of(const std::function<void()>& call) {
  try {
    call();
  } catch (const error& problem) {
    return problem.what();
  }
  return "no error";
}

TEST(static_calls, say_what_the_compiler_cannot_know) {
  arrays<float> of;
  const auto positions = input<"token_positions">(of.positions);
  const auto attend_with = [&](const attention_options& options) {
    return message_of([&] { attend_to(options, local, of.queries, of.keys, of.values, of.want, positions); });
  };
  EXPECT_EQ(attend_with({.scale = std::nan("")}),
            "axismask: error[attention-option] attention_options::scale: it is no finite number; give what scores are "
            "multiplied by, or none for 1 / sqrt(projection)");
  EXPECT_EQ(attend_with({.softcap = -1}),
            "axismask: error[attention-option] attention_options::softcap: it is no finite number of at least 0; give "
            "the largest size of a score, or 0 for none");
  EXPECT_EQ(attend_with({.call = {.device = "cuda"}}),
            "axismask: error[device-attention] call_options::device: it asks for \"cuda\", and attention is the "
            "processor's; leave it at \"auto\"; a kernel of your own for the device takes the mask as a plan "
            "(forms.hpp)");
  EXPECT_EQ(message_of([&] { attend_to(local, of.queries, of.keys, of.values, of.queries, positions); }),
            "axismask: error[attention-overlap] out: it lies over queries; give it memory of its own");
  EXPECT_EQ(message_of([&] {
              attend_to(local, of.queries, of.keys.view().in_device_memory(), of.values, of.want, positions);
            }),
            "axismask: error[device-attention] keys: it is in a device's memory, and attention is the processor's; "
            "give memory of the host; a kernel of your own for the device takes the mask as a plan (forms.hpp)");
  const named_view<float, key_axes> narrow(of.keys.data(), {heads, tokens, width / 2});
  EXPECT_EQ(
      message_of([&] { attend_to(local, of.queries, narrow, of.values, of.want, positions); }),
      "axismask: error[attention-axes] keys: its axis \"projection\" has size 12, and that of the queries has 24; "
      "give queries and keys of one projection");
}

TEST(static_calls, say_at_run_time_what_the_compiler_says_of_names_that_it_knows) {
  arrays<float> of;
  detail::with_ruled_values(local, [&](const layer_values& layer) {
    const named_view<double, key_axes> doubles(nullptr, {heads, 0, width});
    EXPECT_EQ(message_of([&] {
                attend(layer, {of.queries, of.queries, of.values, of.want}, {{"token_positions", of.positions}});
              }),
              "axismask: error[attention-axes] keys: it lacks the mask's key axis \"kv_seq\"; it has \"heads\", "
              "\"group\", \"seq\", \"projection\"; give that axis of the keys this name, or the keys' own name to the "
              "layer's kv_seq_axis");
    EXPECT_EQ(message_of([&] {
                attend(layer, {of.queries, doubles, of.values, of.want}, {{"token_positions", of.positions}});
              }),
              "axismask: error[attention-dtype] keys: it holds float64; give float32, float16 or bfloat16");
  });
}

}  // namespace
}  // namespace axismask
