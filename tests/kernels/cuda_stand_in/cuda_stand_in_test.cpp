// Calls on a card that is not there: driver.c stands in for its driver. What kernels compute is not seen here; memory,
// copies, launches and streams are, and failures of the driver.
#include <dlfcn.h>
#include <gtest/gtest.h>

#include <cstddef>
#include <cstdint>
#include <numeric>
#include <string>
#include <thread>
#include <vector>

#include "axismask/layers.hpp"
#include "axismask/linked.hpp"

namespace axismask::test {
namespace {

using logits_axes = axes<"heads", "seq", "kv_seq">;
constexpr std::int64_t heads = 3;
const ApplyCausalSlidingWindowAttentionMask<> local{.masked_out_value = -7, .sliding_window_size = 50};

class cuda : public testing::Test {
 protected:
  void SetUp() override {
    driver_ = dlopen("libcuda.so.1", RTLD_NOW);
    ASSERT_NE(driver_, nullptr) << dlerror();
    ASSERT_NE(dlsym(driver_, "stand_in_pieces"), nullptr) << "this is a card's driver";
    release_device_memory();
    ASSERT_EQ(count("stand_in_pieces"), 0U);
  }

  template <class Function>
  [[nodiscard]] Function* function(const char* name) const {
    return reinterpret_cast<Function*>(dlsym(driver_, name));
  }
  [[nodiscard]] std::size_t count(const char* name) const { return function<std::size_t()>(name)(); }

  // Masks a square of so many tokens in the host's memory.
  static void call(std::int64_t tokens, const call_options& options, bool in_place) {
    std::vector<float> logits(static_cast<std::size_t>(heads * tokens * tokens), 1.0F);
    std::vector<float> out(logits.size(), 2.0F);
    std::vector<std::int32_t> positions(static_cast<std::size_t>(tokens));
    std::iota(positions.begin(), positions.end(), 0);
    const named_view<float, logits_axes> view(logits.data(), {heads, tokens, tokens});
    const named_view<float, logits_axes> out_view(out.data(), {heads, tokens, tokens});
    const auto at = input<"token_positions">(named_view<std::int32_t, axes<"seq">>(positions.data(), {tokens}));
    if (in_place) {
      local.apply_in_place(options, view, at);
    } else {
      local.apply(options, view, out_view, at);
    }
  }

 private:
  void* driver_ = nullptr;
};

const call_options on_card{.device = "cuda"};

TEST_F(cuda, memory_that_calls_of_growing_sizes_take_is_given_back) {
  for (const std::int64_t tokens : {1, 7, 64, 300, 1000}) {
    for (const bool in_place : {true, false}) call(tokens, on_card, in_place);
  }
  EXPECT_GT(count("stand_in_launches"), 0U);
  EXPECT_GT(count("stand_in_pieces"), 0U);
  release_device_memory();
  EXPECT_EQ(count("stand_in_pieces"), 0U);
  EXPECT_EQ(count("stand_in_bad_copies"), 0U);
}

TEST_F(cuda, a_thread_gives_its_memory_back_when_it_ends) {
  std::thread([] { call(100, on_card, true); }).join();
  EXPECT_EQ(count("stand_in_pieces"), 0U);
}

TEST_F(cuda, work_stands_in_the_callers_stream) {
  int stream = 0;
  call_options options = on_card;
  options.stream = &stream;
  call(100, options, true);
  EXPECT_EQ(function<void*()>("stand_in_last_stream")(), &stream);
  call(100, on_card, true);
  EXPECT_EQ(function<void*()>("stand_in_last_stream")(), nullptr);
}

TEST_F(cuda, memory_that_cannot_be_had_is_an_error_and_the_next_call_works) {
  std::size_t failures = 0;
  for (std::size_t at = 1; at < 20; ++at) {
    release_device_memory();
    function<void(std::size_t)>("stand_in_fail_from")(at);
    try {
      call(300, on_card, false);
    } catch (const error& problem) {
      ++failures;
      EXPECT_EQ(std::string(problem.what()).rfind("axismask: error[device-failed] cuda: taking memory gave code ", 0),
                0U)
          << problem.what();
    }
    function<void(std::size_t)>("stand_in_fail_from")(0);
    call(300, on_card, false);
  }
  EXPECT_GT(failures, 1U);
  release_device_memory();
  EXPECT_EQ(count("stand_in_pieces"), 0U);
}

}  // namespace
}  // namespace axismask::test
