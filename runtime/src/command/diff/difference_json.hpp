// A difference of masks as JSON.
#pragma once

#include "command/diff/elsewhere.hpp"

namespace axismask::command {

void print_difference_json(const two_sides& sides, const difference& found, const elsewhere& others);

}  // namespace axismask::command
