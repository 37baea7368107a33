// Load: many threads on one model, children of fork, pools of the caller that misbehave, calls without growth of
// memory, and memory that runs out at every allocation in turn. AXISMASK_LOAD_SECONDS and AXISMASK_LOAD_CALLS make it
// longer.
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <new>
#include <numeric>
#include <random>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "axismask.h"
#include "axismask/forms.hpp"
#include "axismask/huggingface.hpp"
#include "axismask/layer_structure.hpp"
#include "axismask/layers.hpp"
#include "axismask/mask.hpp"
#include "axismask/model.hpp"
#include "axismask/model_attention.hpp"
#include "axismask/npy.hpp"
#include "axismask/plan.hpp"
#include "axismask/spans.hpp"

// --------------------------------------------------------------------------------------- Allocations that can fail

namespace {
thread_local std::int64_t allocations_left = -1;  // before one fails, and all after it; -1: none fails
thread_local std::int64_t allocations = 0;

[[maybe_unused]] void* allocated(std::size_t bytes, std::size_t alignment) {
  ++allocations;
  if (allocations_left == 0) throw std::bad_alloc();
  if (allocations_left > 0) --allocations_left;
  void* const memory = alignment <= __STDCPP_DEFAULT_NEW_ALIGNMENT__
                           ? std::malloc(std::max<std::size_t>(bytes, 1))
                           : std::aligned_alloc(alignment, (bytes + alignment - 1) / alignment * alignment);
  if (memory == nullptr) throw std::bad_alloc();
  return memory;
}

// Not inline: g++ would see `free` of what it saw no `malloc` of, and warn.
[[gnu::noinline, maybe_unused]] void freed(void* memory) noexcept { std::free(memory); }
}  // namespace

// The thread sanitizer's library has these, and takes no others.
#if !defined(AXISMASK_NO_OWN_NEW)
void* operator new(std::size_t bytes) { return allocated(bytes, 1); }
void* operator new[](std::size_t bytes) { return allocated(bytes, 1); }
void* operator new(std::size_t bytes, std::align_val_t alignment) { return allocated(bytes, std::size_t(alignment)); }
void* operator new[](std::size_t bytes, std::align_val_t alignment) { return allocated(bytes, std::size_t(alignment)); }
void operator delete(void* memory) noexcept { freed(memory); }
void operator delete[](void* memory) noexcept { freed(memory); }
void operator delete(void* memory, std::size_t) noexcept { freed(memory); }
void operator delete[](void* memory, std::size_t) noexcept { freed(memory); }
void operator delete(void* memory, std::align_val_t) noexcept { freed(memory); }
void operator delete[](void* memory, std::align_val_t) noexcept { freed(memory); }
void operator delete(void* memory, std::size_t, std::align_val_t) noexcept { freed(memory); }
void operator delete[](void* memory, std::size_t, std::align_val_t) noexcept { freed(memory); }
#endif

namespace axismask {
namespace {

constexpr const char* spec = R"({"axismask": 1, "model": "m", "masks": {
  "near": {"type": "ApplyCausalSlidingWindowAttentionMask", "masked_out_value": -5, "sliding_window_size": 7}}, "layers": [
  {"name": "a", "type": "ApplyCausalSlidingWindowAttentionMask", "masked_out_value": -5, "sliding_window_size": 7},
  {"name": "b", "type": "ApplyCausalSlidingWindowAttentionMask", "masked_out_value": -5, "sliding_window_size": 7},
  {"name": "c", "masked_out_value": "lowest", "all": [{"type": "ApplyCausalAttentionMask"}, {"any": [
    {"type": "ApplyCausalSlidingWindowAttentionMask", "sliding_window_size": 4},
    {"type": "ApplySinksAttentionMask", "sink_count": 2}]}]},
  {"name": "layers.{}", "count": 6, "pattern": ["near", {"type": "ApplyCausalAttentionMask", "masked_out_value": 0}]}]})";

// A text model in another, lists, and images.
[[maybe_unused]] constexpr const char* config_json = R"({"model_type": "gemma3", "dtype": "bfloat16", "text_config": {
  "model_type": "gemma3_text", "num_hidden_layers": 12, "sliding_window": 1024, "sliding_window_pattern": 6,
  "rope_scaling": {"factor": 8.0, "rope_type": "linear"}, "query_pre_attn_scalar": 256}, "eos_token_id": [1, 106]})";

std::int64_t asked(const char* name, std::int64_t otherwise) {
  const char* const given = std::getenv(name);
  return given == nullptr ? otherwise : std::atoll(given);
}

// A square of logits, its positions, and what the layer "a" makes of it.
class square {
 public:
  explicit square(std::int64_t tokens)
      : tokens_(tokens), positions_(size_of(tokens)), logits(size_of(tokens * tokens * heads), 1.0F), want(logits) {
    std::iota(positions_.begin(), positions_.end(), 0);
    for (std::int64_t at = 0; at < tokens * tokens * heads; ++at) {
      const std::int64_t q = at / tokens % tokens;
      const std::int64_t k = at % tokens;
      if (!(q >= k && q - k < 7)) want[size_of(at)] = -5;
    }
  }

  [[nodiscard]] any_view view(std::vector<float>& of) const {
    return {of.data(), dtype::float32, {{"heads", heads}, {"seq", tokens_}, {"kv_seq", tokens_}}};
  }
  [[nodiscard]] side_input positions() const {
    return {"token_positions", any_view(positions_.data(), dtype::int32, {{"seq", tokens_}})};
  }
  [[nodiscard]] std::int64_t kept() const { return std::count(want.begin(), want.end(), 1.0F) / heads; }

  static constexpr std::int64_t heads = 2;

 private:
  static std::size_t size_of(std::int64_t count) { return static_cast<std::size_t>(count); }

  std::int64_t tokens_;
  std::vector<std::int32_t> positions_;

 public:
  std::vector<float> logits;
  std::vector<float> want;
};

TEST(load, many_threads_on_one_model) {
  const Model model = Model::parse(spec, "load");
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(asked("AXISMASK_LOAD_SECONDS", 3));
  std::atomic<std::int64_t> calls{0};
  std::atomic<std::int64_t> wrong{0};
  std::vector<std::thread> threads;
  for (unsigned number = 0; number < 64; ++number) {
    threads.emplace_back([&, number] {
      std::mt19937 random(number);
      square own(8 + number % 5 * 40);
      const any_layer& layer = model.layer(number % 2 == 0 ? "a" : "b");
      while (std::chrono::steady_clock::now() < end) {
        bool is_right = true;
        const call_options options{.threads = static_cast<int>(1 + random() % 4)};
        switch (random() % 8) {
          case 0: {
            std::vector<float> out(own.logits.size());
            layer.apply(options, own.view(own.logits), own.view(out), own.positions());
            is_right = out == own.want;
            break;
          }
          case 1: {
            std::vector<float> in_place = own.logits;
            const tile_plan tiles = plan(layer.values(), {16, 16}, {own.positions()});
            call_options planned = options;
            planned.plan = &tiles;
            layer.apply_in_place(planned, own.view(in_place), own.positions());
            is_right = in_place == own.want;
            break;
          }
          case 2: {
            const row_spans found = spans(layer.values(), {own.positions()}, options);
            std::int64_t kept = 0;
            for (std::size_t at = 0; at < found.begins.size(); ++at) kept += found.ends[at] - found.begins[at];
            is_right = kept == own.kept();
            break;
          }
          case 3: {
            std::vector<float> out(own.logits.size());
            write_mask(layer.values(), own.view(out), {own.positions()},
                       mask_options{.call = options, .masked = masked_value(-6.0)});
            is_right = std::count(out.begin(), out.end(), 0.0F) == square::heads * own.kept();
            break;
          }
          case 4:
            is_right = Model::parse(model.to_json(), "again").layers().size() == model.layers().size();
            break;
          case 5: {
            const any_layer wider = select(layer).at("sliding_window_size").set(std::int64_t{1} << 40);
            is_right = wider.formula() != layer.formula();
            break;
          }
          case 6:
            is_right = !write_form("flashmask", layer.values(), {}, {own.positions()}).arrays.empty();
            break;
          default:
            try {
              layer.apply_in_place(options, own.view(own.logits), std::array<side_input, 0>());
              is_right = false;
            } catch (const error& problem) {
              is_right = problem.id() == "side-input-missing";
            }
        }
        ++calls;
        if (!is_right) ++wrong;
      }
    });
  }
  for (std::thread& one : threads) one.join();
  EXPECT_EQ(wrong, 0);
  EXPECT_GT(calls, 64);
  std::cout << "64 threads: " << calls << " calls\n";
}

TEST(load, a_child_of_fork_calls_and_its_parent_goes_on) {
  const Model model = Model::parse(spec, "load");
  square own(1500);  // enough that the runtime shares the work out
  const auto is_right = [&] {
    std::vector<float> out(own.logits.size());
    model.layer("a").apply(call_options{.threads = 4}, own.view(own.logits), own.view(out), own.positions());
    return out == own.want;
  };
  ASSERT_TRUE(is_right());  // with threads of the runtime, of which the child has none
  for (int child = 0; child < 20; ++child) {
    const pid_t forked = fork();
    ASSERT_GE(forked, 0);
    if (forked == 0) {
      alarm(60);
      _exit(is_right() && is_right() ? 0 : 1);
    }
    EXPECT_TRUE(is_right());
    int status = -1;
    ASSERT_EQ(waitpid(forked, &status, 0), forked);
    EXPECT_EQ(status, 0);
  }
}

// A pool that does what its function does.
struct any_pool {
  std::function<void(int count, const std::function<void(int)>& task)> function;

  static void run(void* pool, int count, void (*task)(void* context, int index), void* context) {
    static_cast<any_pool*>(pool)->function(count, [&](int index) { task(context, index); });
  }
  [[nodiscard]] call_options options() { return {.threads = 3, .run_tasks = run, .pool = this}; }
};

TEST(load, pools_that_misbehave_are_errors_and_the_next_call_is_right) {
  const Model model = Model::parse(spec, "load");
  square own(1500);  // enough that the runtime shares the work out
  std::vector<float> out(own.logits.size());
  const auto call = [&](any_pool pool) {
    model.layer("a").apply(pool.options(), own.view(own.logits), own.view(out), own.positions());
    return out == own.want;
  };
  const auto all = [](int count, const std::function<void(int)>& task) {
    for (int at = 0; at < count; ++at) task(at);
  };
  const auto message = [&](any_pool pool) {
    try {
      call(std::move(pool));
    } catch (const error& problem) {
      return std::string(problem.what());
    }
    return std::string("no error");
  };
  const auto told = [](int ran) {
    return "axismask: error[call-pool] call_options::run_tasks: it returned when " + std::to_string(ran) +
           " of 3 tasks had run, so that the result is not whole; run each task once, and return when all are done";
  };
  for (int turn = 0; turn < 3; ++turn) {
    EXPECT_EQ(message({[](int, const auto&) {}}), told(0));
    EXPECT_EQ(message({[](int count, const auto& task) {
                for (int at = 1; at < count; ++at) task(at);
              }}),
              told(2));
    EXPECT_EQ(message({[&](int count, const auto& task) {
                all(count, task);
                task(0);
              }}),
              told(4));
    EXPECT_THROW(call({[](int, const auto&) { throw std::runtime_error("no threads"); }}), std::runtime_error);
    EXPECT_THROW(call({[&](int count, const auto& task) {
                   all(count, task);
                   throw std::bad_alloc();
                 }}),
                 std::bad_alloc);
    std::fill(out.begin(), out.end(), 0.0F);
    EXPECT_TRUE(call({all}));
    // As many as asked, but one again and again, or of numbers that are none: each part of the result is made once.
    for (const int same : {0, 2, -1, 1 << 30}) {
      std::fill(out.begin(), out.end(), 0.0F);
      EXPECT_TRUE(call({[same](int count, const auto& task) {
        for (int at = 0; at < count; ++at) task(same);
      }})) << same;
    }
    // A task within which the thread makes a call of its own, and that one another.
    square inner(100);
    EXPECT_TRUE(call({[&](int count, const auto& task) {
      for (int at = 0; at < count; ++at) {
        any_pool nested{all};
        std::vector<float> inner_out(inner.logits.size());
        model.layer("b").apply(nested.options(), inner.view(inner.logits), inner.view(inner_out), inner.positions());
        EXPECT_EQ(inner_out, inner.want);
        task(at);
      }
    }}));
  }
}

std::int64_t resident_bytes() {
  std::ifstream file("/proc/self/statm");
  std::int64_t pages = 0;
  file >> pages >> pages;
  return pages * sysconf(_SC_PAGESIZE);
}

TEST(load, calls_do_not_grow) {
#if defined(AXISMASK_SANITIZED)
  GTEST_SKIP() << "a sanitizer keeps what was freed";
#endif
  const Model model = Model::parse(spec, "load");
  square own(8);
  std::vector<float> out(own.logits.size());
  const std::int64_t calls = asked("AXISMASK_LOAD_CALLS", 100'000);
  const auto some = [&](std::int64_t count) {
    for (std::int64_t at = 0; at < count; ++at) {
      if (at % 64 != 0) {
        model.layer("a").apply(call_options{.threads = 1}, own.view(own.logits), own.view(out), own.positions());
        continue;
      }
      static_cast<void>(plan(model.layer("c").values(), {4, 4}, {own.positions()}));
      write_mask(model.layer("c").values(), own.view(out), {own.positions()},
                 mask_options{.masked = masked_value(-1.0)});
      try {
        model.layer("a").apply_in_place(own.view(out), std::array<side_input, 0>());
      } catch (const error&) {
        continue;
      }
    }
  };
  some(20'000);
  const std::int64_t before = resident_bytes();
  some(calls);
  const std::int64_t grown = resident_bytes() - before;
  EXPECT_LT(grown, 1 << 20);
  std::cout << calls << " calls: " << grown << " bytes more\n";
}

#if !defined(AXISMASK_NO_OWN_NEW)

// Calls again and again, and one allocation later fails each time, until it goes through. Each failure is
// std::bad_alloc or an error that says memory; then the call goes through, and its result is right.
void check_without_memory(const std::string& name, const std::function<bool()>& call) {
  ASSERT_TRUE(call()) << name;
  std::int64_t failures = 0;
  for (std::int64_t at = 0;; ++at) {
    allocations_left = at;
    bool is_done = false;
    bool is_right = false;
    try {
      is_right = call();
      is_done = true;
    } catch (const std::bad_alloc&) {
      ++failures;
    } catch (const error& problem) {
      ++failures;
      allocations_left = -1;
      FAIL() << name << ", allocation " << at << ": " << problem.what();
    }
    allocations_left = -1;
    if (is_done) {
      EXPECT_TRUE(is_right) << name << ", allocation " << at;
      break;
    }
    ASSERT_TRUE(call()) << name << " after allocation " << at << " failed";
    ASSERT_LT(at, 1'000'000) << name;
  }
  std::cout << name << ": " << failures << " allocations failed in turn\n";
}

TEST(load, memory_that_runs_out_is_an_error_and_what_is_there_works_on) {
  const Model model = Model::parse(spec, "load");
  const any_layer& layer = model.layer("a");
  square own(128);
  std::vector<float> out(own.logits.size());
  const std::array<side_input, 1> inputs{own.positions()};
  const call_options two{.threads = 2};
  const std::filesystem::path folder =
      std::filesystem::path(testing::TempDir()) / ("axismask_load_" + std::to_string(getpid()));
  std::filesystem::create_directory(folder);

  check_without_memory("a spec is read", [&] { return Model::parse(spec, "load").layers().size() == 9; });
  check_without_memory("a spec with a fault", [&] {
    const std::string faulty = std::string(spec).replace(std::string(spec).find("sink_count"), 4, "sunk");
    try {
      static_cast<void>(Model::parse(faulty, "load"));
    } catch (const error& problem) {
      return problem.id() == "spec-unknown-key" || problem.id() == "spec-missing-key";
    }
    return false;
  });
  check_without_memory("a spec is written", [&] { return model.to_json().starts_with("{\n  \"axismask\": 1,"); });
  check_without_memory("a config.json is read", [&] {
    const auto read = huggingface::config::parse(config_json, "load");
    return read.layers.size() == 12 &&
           read.spec(huggingface::spec_for::text_and_images).find("image_ids") != std::string::npos;
  });
  check_without_memory("a layer is edited", [&] {
    return select(layer).at("sliding_window_size").set(std::int64_t{9}).formula().find("9") != std::string::npos;
  });
  check_without_memory("out of place", [&] {
    std::fill(out.begin(), out.end(), 0.0F);
    layer.apply(two, own.view(own.logits), own.view(out), inputs);
    return out == own.want;
  });
  check_without_memory("in place", [&] {
    out = own.logits;
    layer.apply_in_place(two, own.view(out), inputs);
    return out == own.want;
  });
  check_without_memory("a plan", [&] { return plan(layer.values(), {16, 16}, inputs).count(verdict::some) > 0; });
  check_without_memory("an exact plan",
                       [&] { return exact_plan(layer.values(), {16, 16}, inputs).count(verdict::some) > 0; });
  check_without_memory("spans", [&] { return spans(layer.values(), inputs, two).begins.size() == 128; });
  check_without_memory("a mask", [&] {
    write_mask(layer.values(), own.view(out), inputs, mask_options{.call = two, .masked = masked_value(-1.0)});
    return std::count(out.begin(), out.end(), 0.0F) == square::heads * own.kept();
  });
  for (const form_record& form : forms()) {
    if (form.has_pages) continue;
    check_without_memory("the form " + std::string(form.name), [&] {
      return !write_form(form.name, layer.values(), {.tile = {128, 128}}, inputs).arrays.empty();
    });
  }
  check_without_memory("attention", [&] {
    std::vector<float> queries(2 * 128 * 8, 0.5F);
    std::vector<float> result(queries.size());
    const auto view = [](std::vector<float>& of, const char* tokens) {
      return any_view(of.data(), dtype::float32, {{"heads", 2}, {tokens, 128}, {"projection", 8}});
    };
    attend(model.layer("c"),
           {.queries = view(queries, "seq"),
            .keys = view(queries, "kv_seq"),
            .values = view(queries, "kv_seq"),
            .out = view(result, "seq")},
           inputs);
    return result[0] == 0.5F;
  });
  check_without_memory("a .npy file", [&] {
    const std::array<std::int64_t, 1> sizes{100};
    const std::array<std::int64_t, 1> strides{1};
    write_npy(folder / "x.npy", dtype::float32, sizes, strides, own.logits.data());
    return read_npy(folder / "x.npy").sizes[0] == 100;
  });
  check_without_memory("a .npz file", [&] {
    const std::array<std::int64_t, 1> sizes{100};
    const std::array<npz_array, 1> arrays{npz_array{"x", "<f4", sizes, own.logits.data()}};
    write_npz(folder / "x.npz", arrays);
    return read_npy(folder / "x.npz" / "x").sizes[0] == 100;
  });
  std::vector<std::string> left;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) left.push_back(entry.path().filename());
  std::sort(left.begin(), left.end());
  EXPECT_EQ(left, (std::vector<std::string>{"x.npy", "x.npz"}));
  std::filesystem::remove_all(folder);
}

// In C a status says it; a handle is not made.
TEST(load, memory_that_runs_out_is_a_status_in_c) {
  axismask_model* model = nullptr;
  ASSERT_EQ(axismask_model_parse(spec, std::string(spec).size(), "load", &model), AXISMASK_OK);
  const axismask_layer* layer = nullptr;
  ASSERT_EQ(axismask_model_layer(model, "a", &layer), AXISMASK_OK);
  std::vector<std::int32_t> positions(100);
  std::iota(positions.begin(), positions.end(), 0);
  const std::int64_t tokens = 100;
  const char* const axis = "seq";
  const axismask_input input{"token_positions",
                             {positions.data(), AXISMASK_INT32, AXISMASK_HOST, 1, 1, &tokens, nullptr, &axis}};
  std::int64_t failures = 0;
  for (std::int64_t at = 0;; ++at) {
    ASSERT_LT(at, 1'000'000) << "it does not go through";
    axismask_plan* plan = nullptr;
    axismask_arrays* spans = nullptr;
    axismask_model* read = nullptr;
    allocations_left = at;
    axismask_status status = axismask_model_parse(spec, std::string_view(spec).size(), "load", &read);
    if (status == AXISMASK_OK) status = axismask_plan_make(layer, 16, 16, &input, 1, &plan);
    if (status == AXISMASK_OK) status = axismask_spans(layer, &input, 1, nullptr, &spans);
    allocations_left = -1;
    axismask_model_free(read);
    axismask_plan_free(plan);
    if (status == AXISMASK_OK) {
      ASSERT_NE(spans, nullptr);
      axismask_arrays_free(spans);
      break;
    }
    ++failures;
    ASSERT_EQ(status, AXISMASK_NO_MEMORY) << axismask_last_error()->line;
    ASSERT_STREQ(axismask_last_error()->id, "memory");
    ASSERT_EQ(spans, nullptr);
  }
  EXPECT_GT(failures, 1000);
  axismask_model_free(model);
}

#endif

}  // namespace
}  // namespace axismask
