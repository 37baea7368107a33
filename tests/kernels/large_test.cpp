// Arrays of more than 2^31 elements and bytes, and strides beyond 2^31.
#include <gtest/gtest.h>
#include <sys/mman.h>

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <memory>
#include <vector>

#include "axismask/layers.hpp"

namespace axismask {
namespace {

using Local = ApplyCausalSlidingWindowAttentionMask<>;

// Memory that takes pages only where it is touched.
class sparse_memory {
 public:
  explicit sparse_memory(std::size_t bytes)
      : bytes_(bytes),
        start_(mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0)) {}
  ~sparse_memory() { munmap(start_, bytes_); }
  sparse_memory(const sparse_memory&) = delete;
  sparse_memory& operator=(const sparse_memory&) = delete;

  [[nodiscard]] bool is_there() const { return start_ != MAP_FAILED; }
  [[nodiscard]] void* start() const { return start_; }

 private:
  std::size_t bytes_;
  void* start_;
};

TEST(more_than_2_to_the_31_elements, in_place) {
  constexpr std::int64_t heads = 33;
  constexpr std::int64_t tokens = 8192;
  constexpr std::int64_t window = 1000;
  static_assert(heads * tokens * tokens > (std::int64_t{1} << 31));
  const sparse_memory memory(heads * tokens * tokens * sizeof(bfloat16));
  ASSERT_TRUE(memory.is_there());
  const named_view<bfloat16, axes<"heads", "seq", "kv_seq">> logits(static_cast<bfloat16*>(memory.start()),
                                                                    {heads, tokens, tokens});
  // Each row gets the bits of its number, so that a row in a wrong place is seen.
  const auto mark_of = [](std::int64_t row) { return static_cast<std::uint16_t>(row % 30011 + 1); };
  std::vector<std::uint16_t> row(tokens);
  for (std::int64_t at = 0; at < heads * tokens; ++at) {
    std::fill(row.begin(), row.end(), mark_of(at));
    std::memcpy(logits.data() + at * tokens, row.data(), tokens * sizeof(bfloat16));
  }
  std::vector<std::int32_t> positions(tokens);
  for (std::int64_t token = 0; token < tokens; ++token)
    positions[static_cast<std::size_t>(token)] = static_cast<std::int32_t>(token);

  const Local local{.masked_out_value = masked_value::minus_infinity(), .sliding_window_size = window};
  local.apply_in_place(logits,
                       input<"token_positions">(named_view<std::int32_t, axes<"seq">>(positions.data(), {tokens})));

  std::int64_t wrong_rows = 0;
  for (std::int64_t at = 0; at < heads * tokens; ++at) {
    const std::int64_t query = at % tokens;
    std::fill(row.begin(), row.end(), 0xFF80);
    std::fill(row.begin() + std::max<std::int64_t>(0, query - window + 1), row.begin() + query + 1, mark_of(at));
    wrong_rows += std::memcmp(logits.data() + at * tokens, row.data(), tokens * sizeof(bfloat16)) == 0 ? 0 : 1;
  }
  EXPECT_EQ(wrong_rows, 0);
}

TEST(strides_beyond_2_to_the_31, of_every_axis) {
  constexpr std::int64_t apart = (std::int64_t{1} << 31) + 5;
  // Two heads far apart, and two rows of each; then keys far apart.
  for (const bool keys_apart : {false, true}) {
    const std::array<std::int64_t, 3> sizes{2, 2, 3};
    const std::array<std::int64_t, 3> strides =
        keys_apart ? std::array<std::int64_t, 3>{1, 2, apart} : std::array<std::int64_t, 3>{apart, 3, 1};
    const sparse_memory memory(static_cast<std::size_t>(3 * apart + 100) * sizeof(float));
    ASSERT_TRUE(memory.is_there());
    const named_view<float, axes<"heads", "seq", "kv_seq">> logits(static_cast<float*>(memory.start()), sizes, strides);
    float next = 1;
    for (int head = 0; head < 2; ++head) {
      for (int query = 0; query < 2; ++query) {
        for (int key = 0; key < 3; ++key) logits(head, query, key) = next++;
      }
    }
    std::array<std::int64_t, 2> at{1, 2};
    std::array<std::int64_t, 3> cached{0, 1, 2};
    const ApplyCausalSlidingWindowAttentionMask<count, "q", "k"> local{.masked_out_value = -1,
                                                                       .sliding_window_size = 2};
    local.apply_in_place(logits, input<"q">(named_view<std::int64_t, axes<"seq">>(at.data(), {2})),
                         input<"k">(named_view<std::int64_t, axes<"seq">>(cached.data(), {3})));
    next = 1;
    for (int head = 0; head < 2; ++head) {
      for (int query = 0; query < 2; ++query) {
        for (int key = 0; key < 3; ++key, ++next) {
          const bool keep = key <= at[static_cast<std::size_t>(query)] && at[static_cast<std::size_t>(query)] - key < 2;
          EXPECT_EQ(logits(head, query, key), keep ? next : -1.0F);
        }
      }
    }
  }
}

}  // namespace
}  // namespace axismask
