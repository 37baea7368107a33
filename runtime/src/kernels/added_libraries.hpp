// Libraries of layers that come to those that are linked.
#pragma once

#include <span>
#include <string>

#include "axismask/kernel/kernel.hpp"

namespace axismask {

// Adds libraries, whose records must be there until the program ends. Throws `error` layer-ambiguous, at `where`, when
// there is a layer of one of their names; then none is added.
void add_libraries(std::span<const layer_library* const> more, const std::string& where);

}  // namespace axismask
