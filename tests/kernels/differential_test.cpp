// Random calls of every linked layer, by seeds: applying, masks, spans, plans and forms are what `keep` says.
#include "differential.hpp"

#include <gtest/gtest.h>

namespace axismask::test {
namespace {

TEST(differential, calls_do_what_keep_says) {
  constexpr std::uint64_t calls = 2000 / (AXISMASK_TEST_CASE_STEP * AXISMASK_TEST_CASE_STEP);
  for (std::uint64_t seed = 0; seed < calls; ++seed) {
    random_source random(seed);
    SCOPED_TRACE(seed);
    ASSERT_NO_THROW(check_random_call(random));
  }
}

}  // namespace
}  // namespace axismask::test
