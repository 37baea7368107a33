// What is asked of a call's result: its axes and dtype, and that it has memory of its own or is the logits themselves.
#pragma once

#include "arrays/bound_call.hpp"

namespace axismask {

// Throws `error` for a result that has not the logits' axes or dtype. Sizes are checked when it is bound.
void check_result(const any_view& logits, const any_view& out);

// Is the result the logits themselves? Throws error[result-overlap] when several of its elements lie in one place, or
// when one of them lies where the logits have another. `has_addresses`: `data` is an address, and not what a device
// calls its memory by.
[[nodiscard]] bool is_in_place(const bound_call& call, bool has_addresses);

}  // namespace axismask
