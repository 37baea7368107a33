// A difference of masks as JSON.
#pragma once

#include "command/diff/compare.hpp"

namespace axismask::command {

void print_difference_json(const two_sides& sides, const difference& found);

}  // namespace axismask::command
