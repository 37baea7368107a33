// Errors at compile time: one line that says who, what and the cure, with the names as the user wrote them.
#pragma once

#include "axismask/messages/text.hpp"

namespace axismask {

// Never defined: compilers that cannot put a computed text into a static_assert (g++ 12 and 13) print the text as
// the argument of this type instead.
template <text Message>
struct error_at_compile_time;

}  // namespace axismask

// AXISMASK_REQUIRE(condition, sentence, literal): a compile error unless the condition holds. `sentence` is an
// expression that gives a phrase with the names in it; `literal` says the same without names, for compilers that
// print the condition, and so the names, beside it (clang).
#if defined(__cpp_static_assert) && __cpp_static_assert >= 202306L
#define AXISMASK_REQUIRE(condition, sentence, literal) \
  static_assert((condition), ::axismask::to_text([] { return ::axismask::phrase("axismask: ") + (sentence); }).view())
#elif defined(__clang__)
#define AXISMASK_REQUIRE(condition, sentence, literal) static_assert(condition, "axismask: " literal)
#else
#define AXISMASK_REQUIRE(condition, sentence, literal)                                \
  if constexpr (!(condition)) {                                                       \
    (void)sizeof(::axismask::error_at_compile_time<::axismask::to_text(               \
                     [] { return ::axismask::phrase("axismask: ") + (sentence); })>); \
  }
#endif
