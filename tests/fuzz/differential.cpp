// Random calls of every linked layer, by a fuzzer's bytes.
#include "differential.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t bytes) {
  axismask::test::random_source random(data, bytes);
  try {
    axismask::test::check_random_call(random);
  } catch (const axismask::error& problem) {
    axismask::test::must(false, problem.what());
  }
  return 0;
}
