// The one exception: its line and its four parts.
#include "axismask/messages/error.hpp"

#include <gtest/gtest.h>

#include <stdexcept>
#include <string>
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

TEST(Error, ShowsControlCharactersOfTheUsersAndDoesNotObeyThem) {
  const error wrong("field-unknown", "heads.\x1b[2J\n", "there is no field \"\x7f\xc2\x9b\"", "name \xc3\xa9");
  EXPECT_STREQ(
      wrong.what(),
      "axismask: error[field-unknown] heads.\\u001b[2J\\u000a: there is no field \"\\u007f\\u009b\"; name \xc3\xa9");
  EXPECT_EQ(wrong.at(wrong.where()).what(), std::string(wrong.what()));
}

TEST(Error, CountsWhatIsLongerThanAScreen) {
  const error wrong("spec-name", std::string(3999, 'n') + "\xc3\xa9" + std::string(100, 'n'), "it is long",
                    "give less");
  EXPECT_EQ(wrong.where(), std::string(3999, 'n') + "... and 101 bytes more");
}

}  // namespace
}  // namespace axismask
