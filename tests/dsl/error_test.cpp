// The one exception: its line and its four parts.
#include "axismask/messages/error.hpp"

#include <gtest/gtest.h>

#include <stdexcept>
#include <type_traits>

namespace axismask {
namespace {

static_assert(std::is_base_of_v<std::runtime_error, error>);

TEST(Error, IsOneLineOfFourParts) {
  const error wrong("spec-window", "/layers/0/sliding_window_size", "0 is below 1",
                    "give a whole number of at least 1");
  EXPECT_STREQ(wrong.what(),
               "axismask: error[spec-window] /layers/0/sliding_window_size: 0 is below 1; give a whole number of at "
               "least 1");
  EXPECT_EQ(wrong.id(), "spec-window");
  EXPECT_EQ(wrong.where(), "/layers/0/sliding_window_size");
  EXPECT_EQ(wrong.what_is_wrong(), "0 is below 1");
  EXPECT_EQ(wrong.cure(), "give a whole number of at least 1");
}

}  // namespace
}  // namespace axismask
