// Axes as types: which list has which.
#include "axismask/arrays/axis.hpp"

#include <gtest/gtest.h>

#include <string_view>
#include <type_traits>

namespace axismask {
namespace {

using logits = axes<"heads", "seq", "kv_seq">;
using none = axes<>;

static_assert(axis<"seq">::name == "seq");
static_assert(std::is_same_v<axis<"seq">, axis<"seq">>);
static_assert(!std::is_same_v<axis<"seq">, axis<"Seq">>);

static_assert(logits::rank == 3);
static_assert(logits::names[0] == "heads" && logits::names[1] == "seq" && logits::names[2] == "kv_seq");
static_assert(none::rank == 0);
static_assert(none::names.empty());
// The order is part of the type.
static_assert(!std::is_same_v<axes<"seq", "kv_seq">, axes<"kv_seq", "seq">>);

static_assert(has_axis<logits, axis<"seq">>);
static_assert(has_axis<logits, axis<"kv_seq">>);
static_assert(!has_axis<logits, axis<"kv_sek">>);
static_assert(!has_axis<logits, axis<"">>);
static_assert(!has_axis<none, axis<"seq">>);

static_assert(has_distinct_axes<logits>);
static_assert(has_distinct_axes<none>);
static_assert(has_distinct_axes<axes<"seq">>);
static_assert(!has_distinct_axes<axes<"seq", "seq">>);
static_assert(!has_distinct_axes<axes<"seq", "heads", "seq">>);

static_assert(has_only_axes<axes<"seq">, logits>);
static_assert(has_only_axes<axes<"kv_seq", "heads", "seq">, logits>);
static_assert(has_only_axes<logits, logits>);
static_assert(has_only_axes<none, logits>);
static_assert(has_only_axes<none, none>);
static_assert(!has_only_axes<axes<"seq", "batch">, logits>);
static_assert(!has_only_axes<logits, axes<"seq", "kv_seq">>);
static_assert(!has_only_axes<axes<"seq">, none>);

template <class Axes, text From, text To>
using with = typename renamed<Axes, From, To>::type;

static_assert(std::is_same_v<with<axes<"batch", "seq">, "seq", "kv_seq">, axes<"batch", "kv_seq">>);
static_assert(std::is_same_v<with<axes<"seq", "batch">, "seq", "kv_seq">, axes<"kv_seq", "batch">>);
// Who does not have the axis keeps what it has.
static_assert(std::is_same_v<with<axes<"batch">, "seq", "kv_seq">, axes<"batch">>);
static_assert(std::is_same_v<with<none, "seq", "kv_seq">, none>);
// Names that only start alike are others.
static_assert(std::is_same_v<with<axes<"se", "seqs">, "seq", "kv_seq">, axes<"se", "seqs">>);
static_assert(std::is_same_v<with<axes<"seq">, "seq", "seq">, axes<"seq">>);
// The one way to a list with the same axis twice, which the checks of a call look for.
static_assert(!has_distinct_axes<with<axes<"seq", "kv_seq">, "seq", "kv_seq">>);

TEST(Axes, NamesAreThereAtRunTime) {
  std::string_view joined[3];
  std::size_t count = 0;
  for (const std::string_view name : logits::names) joined[count++] = name;
  EXPECT_EQ(count, 3U);
  EXPECT_EQ(joined[2], "kv_seq");
}

}  // namespace
}  // namespace axismask
