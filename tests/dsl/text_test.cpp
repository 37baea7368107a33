// Text in types, and the helpers that messages are made of.
#include "axismask/messages/text.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <array>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

namespace axismask {
namespace {

template <text Name>
struct named {};

static_assert(text("kv_seq").view() == "kv_seq");
static_assert(text("").view().empty());
static_assert(std::is_same_v<named<"seq">, named<"seq">>);
static_assert(!std::is_same_v<named<"seq">, named<"kv_seq">>);
static_assert(std::is_same_v<named<text("seq")>, named<"seq">>);

// A computed text is the same template argument as a literal.
static_assert(std::is_same_v<named<to_text([] { return phrase("kv_") + "seq"; })>, named<"kv_seq">>);
static_assert(std::is_same_v<named<to_text([] { return std::string_view("seq"); })>, named<"seq">>);

static_assert(std::string_view(phrase()).empty());
static_assert(std::string_view(phrase("the ") + "axis " + std::string_view("\"seq\"")) == "the axis \"seq\"");
static_assert((phrase("ab") + "c").size() == 3);

TEST(Phrase, CutsOffWhatDoesNotFit) {
  phrase long_one;
  for (int line = 0; line < 300; ++line) long_one += "0123456789";
  EXPECT_EQ(long_one.size(), 1000U);
  EXPECT_EQ(long_one.str().substr(990), "0123456789");
  long_one += "more";
  EXPECT_EQ(long_one.size(), 1000U);
}

TEST(Phrase, IsTheSameAtRunTime) {
  phrase sentence("axis ");
  sentence += std::string("seq");
  EXPECT_EQ(sentence.str(), "axis seq");
  EXPECT_EQ(std::string(sentence.data(), sentence.size()), "axis seq");
}

constexpr std::array<std::string_view, 3> logits_axes{"heads", "seq", "kv_seq"};
constexpr std::array<std::string_view, 0> no_axes{};

static_assert(std::string_view(quoted_list(logits_axes)) == R"("heads", "seq", "kv_seq")");
static_assert(std::string_view(quoted_list(std::array<std::string_view, 1>{"seq"})) == R"("seq")");
static_assert(std::string_view(quoted_list(no_axes)) == "none");
// An empty name is a name.
static_assert(std::string_view(quoted_list(std::array<std::string_view, 1>{""})) == R"("")");

static_assert(edit_distance("", "") == 0);
static_assert(edit_distance("seq", "seq") == 0);
static_assert(edit_distance("", "seq") == 3);
static_assert(edit_distance("seq", "") == 3);
static_assert(edit_distance("seq", "sek") == 1);
static_assert(edit_distance("seq", "sseq") == 1);
static_assert(edit_distance("heads", "head") == 1);
static_assert(edit_distance("seq", "kv_seq") == 3);
static_assert(edit_distance("kitten", "sitting") == 3);
// A swap of two neighbours is one step.
static_assert(edit_distance("seq", "sqe") == 1);
static_assert(edit_distance("kv_seq", "vk_seq") == 1);
static_assert(edit_distance("kv_seq", "vk_sqe") == 2);
static_assert(edit_distance("abc", "cba") == 2);

TEST(EditDistance, GivesUpOnNamesOf64LettersAndMore) {
  const std::string of_63(63, 'a');
  const std::string of_64(64, 'a');
  EXPECT_EQ(edit_distance(of_63, of_63), 0U);
  EXPECT_EQ(edit_distance(of_63, std::string(63, 'b')), 63U);
  EXPECT_EQ(edit_distance(of_64, of_64), 64U);
  EXPECT_EQ(edit_distance("", of_64), 64U);
}

// The definition, without the table.
std::size_t recursive_distance(std::string_view from, std::string_view to) {
  if (from.empty()) return to.size();
  if (to.empty()) return from.size();
  std::size_t distance =
      std::min({recursive_distance(from.substr(1), to) + 1, recursive_distance(from, to.substr(1)) + 1,
                recursive_distance(from.substr(1), to.substr(1)) + (from[0] == to[0] ? 0 : 1)});
  if (from.size() > 1 && to.size() > 1 && from[0] == to[1] && from[1] == to[0]) {
    distance = std::min(distance, recursive_distance(from.substr(2), to.substr(2)) + 1);
  }
  return distance;
}

// Few letters, so that some are equal.
rc::Gen<std::string> short_name() {
  return rc::gen::mapcat(rc::gen::inRange<std::size_t>(0, 6), [](std::size_t size) {
    return rc::gen::container<std::string>(size, rc::gen::inRange<char>('a', 'd'));
  });
}

RC_GTEST_PROP(EditDistance, IsTheRecursiveDefinition, ()) {
  const std::string from = *short_name();
  const std::string to = *short_name();
  RC_ASSERT(edit_distance(from, to) == recursive_distance(from, to));
  RC_ASSERT(edit_distance(from, to) == edit_distance(to, from));
}

// The name in the suggestion, or an empty one.
constexpr std::string_view meant(std::string_view given) {
  for (const std::string_view name : logits_axes) {
    const phrase suggestion = phrase(" (did you mean \"") + name + "\"?)";
    if (std::string_view(suggestion) == std::string_view(did_you_mean(given, logits_axes))) return name;
  }
  return {};
}

static_assert(std::string_view(did_you_mean("kv_sek", logits_axes)) == " (did you mean \"kv_seq\"?)");
static_assert(meant("kvseq") == "kv_seq");
static_assert(meant("head") == "heads");
static_assert(meant("sek") == "seq");
// A third of the letters may be wrong, or one.
static_assert(meant("kv_sxx") == "kv_seq");
static_assert(meant("kv_xxx").empty());
static_assert(meant("sxx").empty());
static_assert(meant("batch").empty());
static_assert(std::string_view(did_you_mean("seq", no_axes)).empty());
static_assert(std::string_view(did_you_mean("b", std::array<std::string_view, 2>{"a", "bc"})).empty());
// Of two that are equally near, the first.
static_assert(std::string_view(did_you_mean("k1", std::array<std::string_view, 2>{"k2", "k3"})) ==
              " (did you mean \"k2\"?)");
// The nearer one wherever it stands.
static_assert(std::string_view(did_you_mean("kv_seqs", std::array<std::string_view, 2>{"kv_xeq", "kv_seq"})) ==
              " (did you mean \"kv_seq\"?)");

}  // namespace
}  // namespace axismask
