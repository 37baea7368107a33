// How a call does its work: never on more threads than asked, on the caller's own where there are some, by a plan that
// is given, and without a look at the heap.
#include <dirent.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdint>
#include <cstdlib>
#include <functional>
#include <new>
#include <numeric>
#include <string>
#include <thread>
#include <vector>

#include "axismask/empty_rows.hpp"
#include "axismask/layers.hpp"
#include "axismask/model.hpp"
#include "axismask/plan.hpp"
#include "axismask/views.hpp"

// Counts what the heap gives while `counting` is on. Sanitizers have a heap of their own.
#if defined(AXISMASK_SANITIZED)
#define AXISMASK_COUNTS_ALLOCATIONS 0
#else
#define AXISMASK_COUNTS_ALLOCATIONS 1
#endif

namespace {
std::atomic<bool> counting{false};
std::atomic<int> allocations{0};
std::atomic<int> left_until_none{-1};  // allocations that still succeed, or -1 when all do
[[maybe_unused]] void* give(void* memory) {
  allocations += counting ? 1 : 0;
  return memory;
}
[[maybe_unused]] bool is_out_of_memory() { return left_until_none >= 0 && left_until_none-- == 0; }
}  // namespace

#if AXISMASK_COUNTS_ALLOCATIONS
extern "C" void* __libc_malloc(std::size_t);
extern "C" void* __libc_calloc(std::size_t, std::size_t);
extern "C" void* __libc_realloc(void*, std::size_t);
extern "C" void* __libc_memalign(std::size_t, std::size_t);
extern "C" void* malloc(std::size_t bytes) { return is_out_of_memory() ? nullptr : give(__libc_malloc(bytes)); }
extern "C" void* calloc(std::size_t count, std::size_t bytes) { return give(__libc_calloc(count, bytes)); }
extern "C" void* realloc(void* old, std::size_t bytes) { return give(__libc_realloc(old, bytes)); }
extern "C" void* aligned_alloc(std::size_t alignment, std::size_t bytes) {
  return give(__libc_memalign(alignment, bytes));
}
#endif

namespace axismask {
namespace {

constexpr std::int64_t heads = 4;
constexpr std::int64_t tokens = 512;

// 4 MiB of logits: enough for several threads.
class work : public testing::Test {
 protected:
  work() {
    std::iota(logits.data(), logits.data() + logits.element_count(), 0.0F);
    std::iota(positions.data(), positions.data() + tokens, 0);
    std::iota(wide.data(), wide.data() + tokens, 0);
  }

  void expect_masked(const named_array<float, axes<"heads", "seq", "kv_seq">>& result) const {
    for (std::int64_t head = 0; head < heads; ++head) {
      for (std::int64_t query = 0; query < tokens; ++query) {
        for (std::int64_t key = 0; key < tokens; ++key) {
          const float want =
              query >= key && query - key < window ? static_cast<float>((head * tokens + query) * tokens + key) : -1.0F;
          ASSERT_EQ(result(head, query, key), want) << head << " " << query << " " << key;
        }
      }
    }
  }

  static constexpr std::int64_t window = 100;
  named_array<float, axes<"heads", "seq", "kv_seq">> logits{{heads, tokens, tokens}};
  named_array<float, axes<"heads", "seq", "kv_seq">> out{{heads, tokens, tokens}};
  named_array<std::int32_t, axes<"seq">> positions{{tokens}};
  named_array<std::int64_t, axes<"seq">> wide{{tokens}};
  ApplyCausalSlidingWindowAttentionMask<> local{.masked_out_value = -1, .sliding_window_size = window};
};

// A pool of the caller's: a thread for each task, all counted.
struct counted_pool {
  static void run(void* pool, int count, void (*task)(void* context, int index), void* context) {
    auto& self = *static_cast<counted_pool*>(pool);
    ++self.calls;
    self.most = std::max(self.most, count);
    std::vector<std::thread> threads;
    for (int index = 0; index < count; ++index) threads.emplace_back(task, context, index);
    for (std::thread& thread : threads) thread.join();
  }
  int calls = 0;
  int most = 0;
};

int threads_of_this_process() {
  int count = 0;
  DIR* folder = opendir("/proc/self/task");
  while (const dirent* entry = readdir(folder)) count += entry->d_name[0] != '.' ? 1 : 0;
  closedir(folder);
  return count;
}

// First in this file, and in a process of its own under ctest: no pool has been made yet.
TEST_F(work, makes_no_more_threads_than_it_is_asked_for) {
  // With the first thread, the thread sanitizer makes one of its own. A thread is listed for a moment after its end.
  std::string ended;
  std::thread([&ended] { ended = "/proc/self/task/" + std::to_string(gettid()); }).join();
  while (access(ended.c_str(), F_OK) == 0) std::this_thread::yield();
  const int before = threads_of_this_process();
  local.apply_in_place(call_options{.threads = 1}, logits, input<"token_positions">(positions));
  EXPECT_EQ(threads_of_this_process(), before);
  local.apply(call_options{.threads = 3}, logits, out, input<"token_positions">(positions));
  EXPECT_EQ(threads_of_this_process(), before + 2);
  local.apply(call_options{.threads = 2}, logits, out, input<"token_positions">(positions));
  EXPECT_EQ(threads_of_this_process(), before + 2);
}

TEST_F(work, goes_to_the_callers_pool) {
  counted_pool pool;
  local.apply(call_options{.threads = 3, .run_tasks = counted_pool::run, .pool = &pool}, logits, out,
              input<"token_positions">(positions));
  EXPECT_EQ(pool.calls, 1);
  EXPECT_EQ(pool.most, 3);
  expect_masked(out);
  local.apply_in_place(call_options{.threads = 2, .run_tasks = counted_pool::run, .pool = &pool}, logits,
                       input<"token_positions">(positions));
  EXPECT_EQ(pool.calls, 2);
  EXPECT_EQ(pool.most, 3);
  expect_masked(logits);
}

// A pool whose threads do other work while they wait: here a second call, inside the first.
struct nesting_pool {
  static void run(void* pool, int count, void (*task)(void* context, int index), void* context) {
    auto& self = *static_cast<nesting_pool*>(pool);
    self.inner();
    for (int index = 0; index < count; ++index) task(context, index);
    self.inner();
  }
  std::function<void()> inner;
};

TEST_F(work, may_be_nested_in_itself) {
  named_array<float, axes<"heads", "seq", "kv_seq">> other({heads, tokens, tokens});
  const ApplyCausalAttentionMask<> causal{.masked_out_value = 0};
  nesting_pool pool{[&] { causal.apply(logits, other, input<"token_positions">(wide)); }};
  local.apply(call_options{.threads = 2, .run_tasks = nesting_pool::run, .pool = &pool}, logits, out,
              input<"token_positions">(positions));
  expect_masked(out);
}

TEST_F(work, may_be_asked_for_by_many_threads_at_once) {
  std::vector<std::thread> callers;
  for (int caller = 0; caller < 4; ++caller) {
    callers.emplace_back([&] {
      named_array<float, axes<"heads", "seq", "kv_seq">> mine({heads, tokens, tokens});
      for (int repeat = 0; repeat < 20; ++repeat) {
        std::fill_n(mine.data(), mine.element_count(), 7.0F);
        local.apply(logits, mine, input<"token_positions">(positions));
        expect_masked(mine);
      }
    });
  }
  for (std::thread& caller : callers) caller.join();
}

TEST_F(work, goes_on_in_a_forked_process) {
  if (AXISMASK_TEST_IS_EMULATED != 0) GTEST_SKIP() << "qemu-user does not survive a fork with threads";
  local.apply(call_options{.threads = 3}, logits, out, input<"token_positions">(positions));
  const pid_t child = fork();
  if (child == 0) {
    std::fill_n(out.data(), out.element_count(), 7.0F);
    local.apply(call_options{.threads = 3}, logits, out, input<"token_positions">(positions));
    expect_masked(out);
    _exit(HasFatalFailure() ? 1 : 0);
  }
  int status = 0;
  waitpid(child, &status, 0);
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

TEST_F(work, allocates_nothing_once_a_call_of_the_size_was_made) {
  if (AXISMASK_COUNTS_ALLOCATIONS == 0) GTEST_SKIP() << "a sanitizer has a heap of its own";
  const Model model = Model::parse(R"({"axismask": 1, "model": "m", "layers": [
    {"name": "local", "type": "ApplyCausalSlidingWindowAttentionMask", "masked_out_value": -1,
     "sliding_window_size": 100, "query_positions_input_name": "queries", "kv_positions_input_name": "keys"}]})",
                                   "test");
  const any_layer& layer = model.layer("local");
  // Positions of two widths, which are made one.
  const std::array<side_input, 2> inputs{side_input{"queries", positions}, side_input{"keys", wide}};
  const tile_plan tiles = plan(local, {8, 16}, input<"token_positions">(positions));
  named_array<std::int32_t, axes<"seq">> padded({positions.view().size<"seq">()});
  std::copy_n(positions.data(), positions.element_count(), padded.data());
  std::fill_n(padded.data(), 4, -1);
  const auto keeping = with_empty_rows<empty_row_rule::keep_self>(local);
  const auto all = [&] {
    local.apply(logits, out, input<"token_positions">(positions));
    local.apply(call_options{.plan = &tiles}, logits, out, input<"token_positions">(positions));
    layer.apply(logits, out, inputs);
    layer.apply_in_place(out, inputs);
    // With rows that see nothing.
    keeping.apply(logits, out, input<"token_positions">(padded));
    keeping.apply_in_place(out, input<"token_positions">(padded));
    // Small ones are not cut into tiles.
    layer.apply_in_place({.threads = 1}, slice<"heads">(out.view(), 0), inputs);
  };
  all();
  allocations = 0;
  counting = true;
  all();
  counting = false;
  EXPECT_EQ(allocations, 0);
  // The count can fail.
  counting = true;
  (void)local(logits, input<"token_positions">(positions));
  counting = false;
  EXPECT_GT(allocations, 0);
}

TEST_F(work, goes_on_when_there_was_no_memory_for_a_thread) {
  if (AXISMASK_COUNTS_ALLOCATIONS == 0) GTEST_SKIP() << "a sanitizer has a heap of its own";
  for (int succeed = 0; succeed < 8; ++succeed) {
    std::fill_n(out.data(), out.element_count(), 7.0F);
    // New threads in each round, so that there is something to allocate.
    const call_options options{.threads = 2 + succeed};
    left_until_none = succeed;
    try {
      local.apply(options, logits, out, input<"token_positions">(positions));
      left_until_none = -1;
      expect_masked(out);
    } catch (const std::bad_alloc&) {  // of the call itself: nothing is written then
      left_until_none = -1;
      for (std::size_t at = 0; at < out.element_count(); ++at) ASSERT_EQ(out.data()[at], 7.0F);
    }
    local.apply(options, logits, out, input<"token_positions">(positions));
    expect_masked(out);
  }
}

TEST_F(work, goes_by_a_plan_of_any_tiles) {
  for (const tile_size tile : {tile_size{128, 128}, tile_size{8, 16}, tile_size{1, 512}, tile_size{512, 1}}) {
    const tile_plan tiles = plan(local, tile, input<"token_positions">(positions));
    std::fill_n(out.data(), out.element_count(), 7.0F);
    local.apply(call_options{.plan = &tiles}, logits, out, input<"token_positions">(positions));
    expect_masked(out);
    // The same positions, of another width.
    local.apply(call_options{.plan = &tiles}, logits, out, input<"token_positions">(wide));
    expect_masked(out);
  }
}

TEST_F(work, does_not_go_by_a_plan_of_something_else) {
  const tile_plan tiles = plan(local, {}, input<"token_positions">(positions));
  const auto error_of = [](auto call) -> std::string {
    try {
      call();
    } catch (const error& problem) {
      return problem.what();
    }
    return "no error";
  };
  const std::string differs =
      "axismask: error[plan-differs] plan: it was made for another layer, other numbers or other side inputs; make a "
      "plan of this layer with these side inputs, or call without one";
  const call_options with_plan{.plan = &tiles};
  const ApplyCausalSlidingWindowAttentionMask<> wider{.masked_out_value = -1, .sliding_window_size = window + 1};
  EXPECT_EQ(error_of([&] { wider.apply_in_place(with_plan, logits, input<"token_positions">(positions)); }), differs);
  const ApplyCausalAttentionMask<> causal{.masked_out_value = -1};
  EXPECT_EQ(error_of([&] { causal.apply_in_place(with_plan, logits, input<"token_positions">(positions)); }), differs);
  positions(0) = -1;
  EXPECT_EQ(error_of([&] { local.apply_in_place(with_plan, logits, input<"token_positions">(positions)); }), differs);
  positions(0) = 0;
  // The same numbers along axes of other names or sizes.
  std::vector<std::int32_t> nowhere(512, -1);
  const ApplyCausalAttentionMask<> two{.masked_out_value = -1};
  using batches = named_view<std::int32_t, axes<"batch", "seq">>;
  const tile_plan of_two = plan(two, {}, input<"token_positions">(batches(nowhere.data(), {2, 256})));
  const call_options with_two{.plan = &of_two};
  named_array<float, axes<"batch", "seq", "kv_seq">> many({256, 2, 2});
  EXPECT_EQ(error_of([&] {
              two.apply_in_place(with_two, many, input<"token_positions">(batches(nowhere.data(), {256, 2})));
            }),
            differs);
  named_array<float, axes<"batch", "heads", "seq", "kv_seq">> both({2, 2, 256, 256});
  EXPECT_EQ(error_of([&] {
              two.apply_in_place(
                  with_two, both,
                  input<"token_positions">(named_view<std::int32_t, axes<"heads", "seq">>(nowhere.data(), {2, 256})));
            }),
            differs);
  // The same numbers for another layer.
  const ApplyChunkedAttentionMask<> chunked{.masked_out_value = -1, .attention_chunk_size = 64};
  const tile_plan of_chunks = plan(chunked, {}, input<"token_positions">(positions));
  const call_options with_chunks{.plan = &of_chunks};
  const ApplyBlockCausalAttentionMask<> blocks{.masked_out_value = -1, .block_size = 64};
  EXPECT_EQ(error_of([&] { blocks.apply_in_place(with_chunks, logits, input<"token_positions">(positions)); }),
            differs);
  // Other numbers of a parameter that has one for each head.
  std::array<std::int64_t, heads> windows{1, 2, 3, 4};
  const ApplyCausalSlidingWindowAttentionMask<counts_over<axes<"heads">>> per_head{
      .masked_out_value = -1, .sliding_window_size = {windows.data(), {heads}}};
  const tile_plan of_heads = plan(per_head, {}, input<"token_positions">(positions));
  const call_options with_heads{.plan = &of_heads};
  windows[2] = 5;
  EXPECT_EQ(error_of([&] { per_head.apply_in_place(with_heads, logits, input<"token_positions">(positions)); }),
            differs);
  local.apply_in_place(with_plan, logits, input<"token_positions">(positions));
  expect_masked(logits);
}

}  // namespace
}  // namespace axismask
