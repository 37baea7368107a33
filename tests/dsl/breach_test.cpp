// The sentences that the compiler and the runtime share, as the runtime puts them together.
#include <gtest/gtest.h>

#include <array>
#include <string>
#include <string_view>

#include "axismask/call/call_breach.hpp"

namespace axismask::breach {
namespace {

constexpr std::array<std::string_view, 3> logits_axes{"heads", "seq", "kv_sek"};

std::string joined(const sentence& sentence) { return sentence.what.str() + "; " + sentence.cure.str(); }

TEST(Breach, LogitsLackAnAxis) {
  EXPECT_EQ(joined(logits_lack_axis("kv_seq", "kv_seq_axis", logits_axes)),
            "the logits have no axis \"kv_seq\"; they have \"heads\", \"seq\", \"kv_sek\"; rename "
            "\"kv_sek\" to \"kv_seq\", or set the layer's kv_seq_axis to \"kv_sek\"");
  EXPECT_EQ(joined(logits_lack_axis("keys", "kv_seq_axis", logits_axes)),
            "the logits have no axis \"keys\"; they have \"heads\", \"seq\", \"kv_sek\"; give that axis of the logits "
            "this name, or the logits' own name to the layer's kv_seq_axis");
}

TEST(Breach, SideInputs) {
  constexpr std::array<std::string_view, 1> taken{"token_positions"};
  EXPECT_EQ(joined(side_input_missing("token_positions", "kv_positions_input_name", {})),
            "the side input \"token_positions\" is missing; given: none; give it, or set the layer's "
            "kv_positions_input_name");
  EXPECT_EQ(joined(side_input_unknown("token_position", taken)),
            "there is no side input \"token_position\"; the layer takes \"token_positions\" (did you mean "
            "\"token_positions\"?); leave it out, or give it the name that the layer uses");
  EXPECT_EQ(joined(side_input_twice("mask")), "the side input \"mask\" is given twice; leave one of them out");
}

TEST(Breach, ASideInputWithoutAnAxisOfANearName) {
  constexpr std::array<std::string_view, 1> own{"batch"};
  EXPECT_EQ(joined(side_input_lacks_axis("seq", own)),
            "it has no axis \"seq\"; it has \"batch\"; positions of queries need the layer's seq_axis");
  EXPECT_EQ(
      joined(key_positions_lack_axis("seq", "kv_seq", own)),
      "it has no axis \"kv_seq\" or \"seq\"; it has \"batch\"; positions of keys need the layer's kv_seq_axis or, "
      "as in penzai, its seq_axis");
}

TEST(Breach, ElementTypes) {
  EXPECT_EQ(joined(positions_not_integers(dtype::float32)),
            "positions are integers, and this array holds float32; give int32 or int64");
  EXPECT_EQ(joined(mask_not_boolean(dtype::int64)), "a mask is boolean, and this array holds int64; give bool");
  EXPECT_EQ(joined(logits_not_floats(dtype::boolean)),
            "logits are floats, and this array holds bool; give float16, bfloat16, float32 or float64");
}

TEST(Breach, AxesOfSideInputs) {
  constexpr std::array<std::string_view, 2> own{"batch", "sek"};
  EXPECT_EQ(joined(side_input_lacks_axis("seq", own)),
            "it has no axis \"seq\"; it has \"batch\", \"sek\"; rename \"sek\" to \"seq\": positions of "
            "queries need the layer's seq_axis");
  EXPECT_EQ(joined(key_positions_lack_axis("seq", "kv_seq", own)),
            "it has no axis \"kv_seq\" or \"seq\"; it has \"batch\", \"sek\"; rename \"sek\" to \"seq\": positions of "
            "keys need the layer's kv_seq_axis or, as in penzai, its seq_axis");
  EXPECT_EQ(joined(foreign_axis("head", logits_axes)),
            "its axis \"head\" is none of the logits'; they have \"heads\", \"seq\", \"kv_sek\" (did you mean "
            "\"heads\"?); rename the axis, or take it out of the array");
  EXPECT_EQ(joined(axis_twice("seq")), "it has the axis \"seq\" twice; rename one of the two");
  EXPECT_EQ(
      joined(key_axis_twice("seq", "kv_seq")),
      "positions of keys have the axis \"seq\", read as \"kv_seq\", and \"kv_seq\" too; leave one of the two out");
}

// A sentence is one line, however long the names.
TEST(Breach, LongNamesAreCutOffAndNotWrapped) {
  const std::string long_name(5000, 'x');
  const std::array<std::string_view, 1> names{long_name};
  const std::string sentence = joined(foreign_axis(long_name, names));
  EXPECT_EQ(sentence.find('\n'), std::string::npos);
  EXPECT_TRUE(sentence.ends_with("; rename the axis, or take it out of the array"));
}

}  // namespace
}  // namespace axismask::breach
