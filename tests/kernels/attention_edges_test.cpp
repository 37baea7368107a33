// Attention at its edges: numbers that are none, rows that see nothing, threads and pools, the heap.
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <limits>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "axismask/attention.hpp"
#include "axismask/layers.hpp"
#include "axismask/plan.hpp"

// Counts what the heap gives while `counting` is on. Sanitizers have a heap of their own.
namespace {
std::atomic<bool> counting{false};
std::atomic<int> allocations{0};
[[maybe_unused]] void* give(void* memory) {
  allocations += counting ? 1 : 0;
  return memory;
}
}  // namespace

#if !defined(AXISMASK_SANITIZED)
extern "C" void* __libc_malloc(std::size_t);
extern "C" void* __libc_memalign(std::size_t, std::size_t);
extern "C" void* malloc(std::size_t bytes) { return give(__libc_malloc(bytes)); }
extern "C" void* aligned_alloc(std::size_t alignment, std::size_t bytes) {
  return give(__libc_memalign(alignment, bytes));
}
#endif

namespace axismask {
namespace {

constexpr float infinity = std::numeric_limits<float>::infinity();
constexpr float nan = std::numeric_limits<float>::quiet_NaN();

// Queries of `heads` heads in groups of two on keys of half as many.
struct arrays {
  std::int64_t heads = 4;
  std::int64_t queries;
  std::int64_t keys;
  std::int64_t projection;
  std::vector<float> q, k, v, out;
  std::vector<std::int32_t> query_positions, kv_positions;

  arrays(std::int64_t query_count, std::int64_t key_count, std::int64_t its_projection)
      : queries(query_count), keys(key_count), projection(its_projection) {
    std::mt19937 random(static_cast<unsigned>(query_count * 7 + key_count));
    std::normal_distribution<float> normal;
    q.resize(static_cast<std::size_t>(heads * queries * projection));
    k.resize(static_cast<std::size_t>(heads / 2 * keys * projection));
    v.resize(k.size());
    out.assign(q.size(), 7.0F);
    for (auto* all : {&q, &k, &v}) std::generate(all->begin(), all->end(), [&] { return normal(random); });
    for (std::int64_t key = 0; key < keys; ++key) kv_positions.push_back(static_cast<std::int32_t>(key));
    for (std::int64_t query = 0; query < queries; ++query) {
      query_positions.push_back(static_cast<std::int32_t>(keys - queries + query));
    }
  }

  any_view of_queries(std::vector<float>& memory) const {
    return {memory.data(),
            dtype::float32,
            {{"kv_heads", heads / 2}, {"group", 2}, {"seq", queries}, {"projection", projection}}};
  }
  any_view of_keys(std::vector<float>& memory) const {
    return {memory.data(), dtype::float32, {{"kv_heads", heads / 2}, {"kv_seq", keys}, {"projection", projection}}};
  }
  float& value(std::int64_t head, std::int64_t key, std::int64_t column) {
    return v[static_cast<std::size_t>((head * keys + key) * projection + column)];
  }
  [[nodiscard]] float result(std::int64_t head, std::int64_t query, std::int64_t column) const {
    return out[static_cast<std::size_t>((head * queries + query) * projection + column)];
  }

  template <class Layer>
  const std::vector<float>& attend(const Layer& layer, const attention_options& options = {},
                                   empty_row_rule rule = empty_row_rule::masked) {
    Layer::axismask_ask_for_kernels();
    with_values(layer, [&](layer_values& values) {
      values.empty_rows = rule;
      axismask::attend(values, {of_queries(q), of_keys(k), of_keys(v), of_queries(out)},
                       {{"token_positions", any_view(query_positions.data(), dtype::int32, {{"seq", queries}})},
                        {"kv_token_positions", any_view(kv_positions.data(), dtype::int32, {{"seq", keys}})}},
                       options);
    });
    return out;
  }
};

using window = ApplyCausalSlidingWindowAttentionMask<count, "token_positions", "kv_token_positions">;

const window of_100{.masked_out_value = masked_value::lowest(), .sliding_window_size = 100};

// A few queries go by kernels of their own, and on many keys these are cut into stretches.
std::vector<arrays> of_every_way() {
  return {arrays(40, 300, 64), arrays(1, 300, 64), arrays(1, 5000, 128), arrays(3, 65, 7)};
}

TEST(attention_edges, slots_that_were_never_written_change_nothing) {
  for (arrays one : of_every_way()) {
    for (std::int64_t key = 0; key < one.keys; key += 3) one.kv_positions[static_cast<std::size_t>(key)] = -1;
    const std::vector<float> want = one.attend(of_100);
    for (std::int64_t head = 0; head < one.heads / 2; ++head) {
      for (std::int64_t key = 0; key < one.keys; key += 3) {
        const auto first = static_cast<std::ptrdiff_t>((head * one.keys + key) * one.projection);
        std::fill_n(one.k.begin() + first, one.projection, key % 2 == 0 ? nan : infinity);
        std::fill_n(one.v.begin() + first, one.projection, key % 2 == 0 ? -infinity : nan);
      }
    }
    EXPECT_EQ(one.attend(of_100), want) << one.queries << " queries on " << one.keys;
  }
}

TEST(attention_edges, an_infinite_value_is_seen_where_its_key_is) {
  arrays one(40, 300, 64);
  one.value(0, 290, 5) = infinity;  // which the queries from position 290 on see
  one.attend(of_100);
  for (std::int64_t query = 0; query < one.queries; ++query) {
    const bool sees = one.query_positions[static_cast<std::size_t>(query)] >= 290;
    EXPECT_EQ(std::isinf(one.result(0, query, 5)), sees) << query;
    EXPECT_TRUE(std::isfinite(one.result(0, query, 4))) << query;
  }
}

TEST(attention_edges, a_score_that_is_no_number_stays_one) {
  for (arrays one : of_every_way()) {
    const std::int64_t last = one.keys - 1;  // which the last query sees
    one.k[static_cast<std::size_t>(last * one.projection)] = nan;
    one.attend(of_100);
    EXPECT_TRUE(std::isnan(one.result(0, one.queries - 1, 0)));
    EXPECT_TRUE(std::isfinite(one.result(2, one.queries - 1, 0)));  // of the other key head
  }
}

TEST(attention_edges, rows_that_see_nothing_are_by_the_rule) {
  for (arrays one : of_every_way()) {
    one.query_positions[0] = -1;
    one.kv_positions[2] = -1;  // one key at the query's own position
    std::vector<double> mean(static_cast<std::size_t>(one.projection), 0.0);
    for (std::int64_t key = 0; key < one.keys; ++key) {
      for (std::int64_t column = 0; column < one.projection; ++column) {
        mean[static_cast<std::size_t>(column)] +=
            static_cast<double>(one.value(0, key, column)) / static_cast<double>(one.keys);
      }
    }
    one.attend(of_100);
    for (std::int64_t column = 0; column < one.projection; ++column) {
      EXPECT_NEAR(one.result(0, 0, column), mean[static_cast<std::size_t>(column)], 1e-5);
    }
    one.attend(of_100, {}, empty_row_rule::zeros);
    for (std::int64_t column = 0; column < one.projection; ++column) EXPECT_EQ(one.result(0, 0, column), 0);
    one.attend(of_100, {}, empty_row_rule::keep_self);
    for (std::int64_t column = 0; column < one.projection; ++column) {
      EXPECT_EQ(one.result(0, 0, column), one.value(0, 2, column));
    }
    window minus_infinity = of_100;
    minus_infinity.masked_out_value = masked_value::minus_infinity();
    one.attend(minus_infinity);
    EXPECT_TRUE(std::isnan(one.result(0, 0, 0)));
    const std::vector<float> before = one.out;
    try {
      one.attend(of_100, {}, empty_row_rule::error);
      ADD_FAILURE() << "a row that sees nothing was let through";
    } catch (const error& problem) {
      EXPECT_EQ(problem.id(), "empty-row");
    }
    EXPECT_TRUE(std::memcmp(before.data(), one.out.data(), before.size() * sizeof(float)) == 0);
  }
}

// A cache before its first token. Positions of 64 bits are made narrow, and an empty array has no memory.
TEST(attention_edges, no_keys_are_rows_that_see_nothing) {
  arrays one(5, 0, 8);
  const std::vector<std::int64_t> places{0, 1, 2, 3, 4};
  window::axismask_ask_for_kernels();
  for (const auto rule : {empty_row_rule::masked, empty_row_rule::zeros, empty_row_rule::keep_self}) {
    std::fill(one.out.begin(), one.out.end(), 7.0F);
    with_values(of_100, [&](layer_values& values) {
      values.empty_rows = rule;
      attend(values, {one.of_queries(one.q), one.of_keys(one.k), one.of_keys(one.v), one.of_queries(one.out)},
             {{"token_positions", any_view(places.data(), dtype::int64, {{"seq", 5}})},
              {"kv_token_positions", any_view(static_cast<const std::int64_t*>(nullptr), dtype::int64, {{"seq", 0}})}});
    });
    for (const float result : one.out) EXPECT_TRUE(rule == empty_row_rule::zeros ? result == 0 : result != 7) << result;
  }
}

TEST(attention_edges, masked_keys_have_the_weight_of_a_masked_value_near_the_scores) {
  window near = of_100;
  near.masked_out_value = -2.0;
  arrays one(1, 5000, 16);
  std::fill(one.q.begin(), one.q.end(), 0.0F);  // the scores of the 100 that are seen are 0
  one.attend(near);
  const double masked = std::exp(-2.0);
  const double total = 100 + 4900 * masked;
  for (std::int64_t column = 0; column < 16; ++column) {
    double want = 0;
    for (std::int64_t key = 0; key < 5000; ++key) {
      want += static_cast<double>(one.value(0, key, column)) * (key >= 4900 ? 1 : masked) / total;
    }
    EXPECT_NEAR(one.result(0, 0, column), want, 1e-6);
  }
}

struct backward_pool {
  int runs = 0;
  static void run(void* pool, int count, void (*task)(void* context, int index), void* context) {
    ++static_cast<backward_pool*>(pool)->runs;
    for (int index = count; index-- > 0;) task(context, index);
  }
};

TEST(attention_edges, threads_change_no_bit) {
  for (arrays one : of_every_way()) {
    const std::vector<float> want = one.attend(of_100, {.call = {.threads = 1}});
    for (const int threads : {2, 3, 5, 8}) EXPECT_EQ(one.attend(of_100, {.call = {.threads = threads}}), want);
    backward_pool pool;
    const call_options call{.threads = 4, .run_tasks = backward_pool::run, .pool = &pool};
    EXPECT_EQ(one.attend(of_100, {.call = call}), want);
    const std::vector<float> parallel = want;
    std::vector<std::thread> callers;
    std::atomic<int> different{0};
    for (int caller = 0; caller < 4; ++caller) {
      callers.emplace_back([&, mine = one]() mutable {
        for (int repeat = 0; repeat < 5; ++repeat) different += mine.attend(of_100) == parallel ? 0 : 1;
      });
    }
    for (std::thread& caller : callers) caller.join();
    EXPECT_EQ(different, 0);
  }
}

#if !defined(AXISMASK_SANITIZED)
TEST(attention_edges, a_call_like_the_last_one_allocates_nothing) {
  for (arrays one : of_every_way()) {
    const attention_options options{.call = {.threads = 2}};
    one.attend(of_100, options, empty_row_rule::zeros);
    allocations = 0;
    counting = true;
    one.attend(of_100, options, empty_row_rule::zeros);
    counting = false;
    EXPECT_EQ(allocations, 0) << one.queries << " queries on " << one.keys;
  }
}
#endif

// A call that is changed before it is made.
struct changed_call {
  arrays memory{4, 20, 8};
  any_view queries = memory.of_queries(memory.q);
  any_view keys = memory.of_keys(memory.k);
  any_view values = memory.of_keys(memory.v);
  any_view out = memory.of_queries(memory.out);
  attention_options options;
};

// What the call says. It changes nothing.
std::string message(const std::function<void(changed_call&)>& change) {
  changed_call call;
  change(call);
  const std::vector<float> before = call.memory.out;
  window::axismask_ask_for_kernels();
  return with_values(of_100, [&](const layer_values& values) -> std::string {
    try {
      attend(values, {call.queries, call.keys, call.values, call.out},
             {{"token_positions", any_view(call.memory.query_positions.data(), dtype::int32, {{"seq", 4}})},
              {"kv_token_positions", any_view(call.memory.kv_positions.data(), dtype::int32, {{"seq", 20}})}},
             call.options);
      return "no error";
    } catch (const error& problem) {
      EXPECT_EQ(call.memory.out, before);
      return std::string(problem.what()).substr(std::string("axismask: error").size());
    }
  });
}

any_view floats(std::vector<float>& memory, std::initializer_list<named_axis> axes) {
  return {memory.data(), dtype::float32, axes};
}

TEST(attention_edges, what_is_wrong_is_said) {
  EXPECT_EQ(message([](changed_call&) {}), "no error");
  EXPECT_EQ(
      message([](changed_call& call) { call.options.projection = "head_dim"; }),
      "[attention-axes] queries: it has no axis \"head_dim\"; it has \"kv_heads\", \"group\", \"seq\", \"projection\"; "
      "give it that axis, or set attention_options::projection to the name of yours");
  EXPECT_EQ(
      message([](changed_call& call) {
        call.keys = floats(call.memory.k, {{"kv_heads", 2}, {"keys", 20}, {"projection", 8}});
      }),
      "[attention-axes] keys: it lacks the mask's key axis \"kv_seq\"; it has \"kv_heads\", \"keys\", \"projection\"; "
      "give that axis of the keys this name, or the keys' own name to the layer's kv_seq_axis");
  EXPECT_EQ(
      message([](changed_call& call) {
        call.keys = floats(call.memory.k, {{"kv_heads", 2}, {"kv_seq", 40}, {"projection", 4}});
      }),
      "[attention-axes] keys: its axis \"projection\" has size 4, and that of the queries has 8; give queries and keys "
      "of one projection");
  EXPECT_EQ(message([](changed_call& call) {
              call.values = floats(call.memory.v, {{"heads", 2}, {"kv_seq", 20}, {"projection", 8}});
            }),
            "[attention-axes] values: the queries do not have its axis \"heads\"; it has \"heads\", \"kv_seq\", "
            "\"projection\"; rename the axis, or take it out of the array");
  EXPECT_EQ(
      message([](changed_call& call) {
        call.values = floats(call.memory.v, {{"kv_heads", 2}, {"kv_seq", 10}, {"projection", 16}});
        call.out = floats(call.memory.out, {{"kv_heads", 2}, {"group", 1}, {"seq", 4}, {"projection", 16}});
      }),
      "[axis-size] values: its axis \"kv_seq\" has size 10, and that of the keys has 20; give one element for each "
      "index of that axis");
  EXPECT_EQ(
      message([](changed_call& call) {
        call.queries = floats(call.memory.q, {{"kv_heads", 2}, {"kv_seq", 2}, {"seq", 4}, {"projection", 8}});
      }),
      "[attention-axes] queries: it has the mask's key axis \"kv_seq\"; it has \"kv_heads\", \"kv_seq\", \"seq\", "
      "\"projection\"; rename it: keys have that axis");
  EXPECT_EQ(message([](changed_call& call) {
              call.out = floats(call.memory.out, {{"kv_heads", 2}, {"seq", 4}, {"projection", 8}});
            }),
            "[attention-axes] out: it lacks the queries' axis \"group\"; it has \"kv_heads\", \"seq\", \"projection\"; "
            "give it "
            "the queries' axes, in any order");
  EXPECT_EQ(message([](changed_call& call) { call.out = call.queries; }),
            "[attention-overlap] out: it lies over queries; give it memory of its own");
  EXPECT_EQ(
      message([](changed_call& call) { call.options.softcap = -1; }),
      "[attention-option] attention_options::softcap: it is no finite number of at least 0; give the largest size of a "
      "score, or 0 for none");
  EXPECT_EQ(
      message([](changed_call& call) { call.options.scale = std::nan(""); }),
      "[attention-option] attention_options::scale: it is no finite number; give what scores are multiplied by, or "
      "none for 1 / sqrt(projection)");
  EXPECT_EQ(message([](changed_call& call) {
              call.keys = any_view(call.memory.k.data(), dtype::float64, {{"kv_seq", 20}, {"projection", 8}});
            }),
            "[attention-dtype] keys: it holds float64; give float32, float16 or bfloat16");
  EXPECT_EQ(
      message([](changed_call& call) { call.options.call.device = "cuda"; }),
      "[device-attention] call_options::device: it asks for \"cuda\", and attention is the processor's; leave it at "
      "\"auto\"; a kernel of your own for the device takes the mask as a plan (forms.hpp)");
  EXPECT_EQ(
      message([](changed_call& call) { call.values = call.values.in_device_memory(); }),
      "[device-attention] values: it is in a device's memory, and attention is the processor's; give memory of the "
      "host; a kernel of your own for the device takes the mask as a plan (forms.hpp)");
  const std::vector<float> constant(256);
  EXPECT_EQ(message([&](changed_call& call) { call.out = any_view(constant.data(), dtype::float32, call.out.axes()); }),
            "[result-const] out: its memory is const; give memory that can be written");
}

}  // namespace
}  // namespace axismask
