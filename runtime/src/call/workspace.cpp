// What a call needs besides its arrays.
#include "call/workspace.hpp"

#include <utility>

namespace axismask {
namespace {

thread_local std::unique_ptr<workspace> kept;

}  // namespace

borrowed_workspace::borrowed_workspace() : mine_(std::move(kept)) {
  if (mine_ == nullptr) mine_ = std::make_unique<workspace>();
}

borrowed_workspace::~borrowed_workspace() { kept = std::move(mine_); }

workspace* borrowed_workspace::of_this_thread() { return kept.get(); }

}  // namespace axismask
