// A difference of masks for people: where the masks differ, a line for each run of queries, and why.
#pragma once

#include "command/diff/elsewhere.hpp"

namespace axismask::command {

void print_difference(const two_sides& sides, const difference& found, const elsewhere& others);

}  // namespace axismask::command
