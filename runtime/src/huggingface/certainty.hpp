// What stands in the way of a map of which a caller wants to be certain: the errors of `axismask import` and of
// axismask.h.
#pragma once

#include <string>
#include <vector>

#include "axismask/huggingface.hpp"

namespace axismask::huggingface {

// Throws the first warning, if there is one, as an error; `option` is what asked for that.
void refuse_warnings(const std::vector<warning>& warnings, const std::string& option);

// Throws `error` config-guess for a map that is not certain; `option` is what would take it.
[[noreturn]] void refuse_guess(const config& config, const std::string& file, const std::string& option);

}  // namespace axismask::huggingface
